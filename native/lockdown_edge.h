#pragma once
#include <napi.h>

namespace flamegate {

/// The part of the addon's edge by which the agent locks itself down: lockDown, refusedCalls.
void ExportLockdown(Napi::Env env, Napi::Object exports);

}  // namespace flamegate
