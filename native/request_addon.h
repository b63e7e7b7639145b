#pragma once
#include <napi.h>

namespace flamegate {

/// The part of the addon's edge that src/native/request-watcher.ts uses.
Napi::Object RequestWatcherExports(Napi::Env env);

}  // namespace flamegate
