#include "lockdown_edge.h"

#include <string>

#include "addon_failure.h"
#include "lockdown.h"

namespace flamegate {
namespace {

// Whether mode Live is granted, whether the attach protocol is.
void LockDownProcess(const Napi::CallbackInfo& info) {
  Failure failure;
  LockdownConfig config = {info[0].As<Napi::Boolean>(), info[1].As<Napi::Boolean>()};
  if (!LockDown(config, failure)) Throw(info.Env(), failure);
}

}  // namespace

void ExportLockdown(Napi::Env env, Napi::Object exports) {
  exports.Set("lockDown", Napi::Function::New(env, LockDownProcess, "lockDown"));
  Napi::Array names = Napi::Array::New(env);
  for (std::string_view name : RefusedCalls()) names.Set(names.Length(), std::string(name));
  exports.Set("refusedCalls", names);
}

}  // namespace flamegate
