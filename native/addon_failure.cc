#include "addon_failure.h"

#include <cstring>

namespace flamegate {

void Throw(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.what);
  error.Set("code", Napi::String::New(env, failure.code));
  error.Set("errno", Napi::Number::New(env, failure.error));
  error.Set("reason", Napi::String::New(env, strerror(failure.error)));
  error.Set("log", Napi::String::New(env, failure.log));
  error.ThrowAsJavaScriptException();
}

}  // namespace flamegate
