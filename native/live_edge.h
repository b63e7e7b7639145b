#pragma once
#include <napi.h>

namespace flamegate {

/// The part of the addon's edge that mode Live needs: watchExecs, execsLost, closeExecs, setFlagByte.
void ExportLive(Napi::Env env, Napi::Object exports);

}  // namespace flamegate
