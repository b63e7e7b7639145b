#include "live_edge.h"

#include <cerrno>
#include <memory>
#include <utility>

#include "addon_failure.h"
#include "exec_watch.h"
#include "flag_byte.h"

namespace flamegate {
namespace {

// Execs that JavaScript has not come round to yet; more are as good as lost, and found by a look at the pods.
constexpr size_t kMaxQueued = 1024;
// Random, as that of a sampler's handle.
constexpr napi_type_tag kExecTag = {0x2c41d0a97be8f613, 0x9e057c3a1fd2b648};

struct Exec {
  uint32_t pid;
  uint64_t time_ns;
};

// What JavaScript holds. The watch goes with closeExecs(), with the handle, or with the environment.
class ExecHandle {
 public:
  ExecHandle(Napi::Env env, Napi::Function on_exec)
      : call_(Napi::ThreadSafeFunction::New(env, on_exec, "flamegate-exec", kMaxQueued, 1)) {
    call_.Unref(env);
    napi_add_env_cleanup_hook(env, Close, this);
    env_ = env;
  }
  ~ExecHandle() {
    napi_remove_env_cleanup_hook(env_, Close, this);
    Close(this);
  }
  ExecHandle(const ExecHandle&) = delete;
  ExecHandle& operator=(const ExecHandle&) = delete;

  bool Open(ExecWatchConfig config, Failure& failure) {
    config.on_exec = [this](uint32_t pid, uint64_t time_ns) { Tell({pid, time_ns}); };
    watch_ = ExecWatch::Open(std::move(config), failure);
    return watch_ != nullptr;
  }
  uint64_t Lost() const { return watch_ ? watch_->Lost() : 0; }

  // First the thread ends, then what it calls goes.
  static void Close(void* self) {
    auto* handle = static_cast<ExecHandle*>(self);
    handle->watch_.reset();
    if (!std::exchange(handle->is_released_, true)) handle->call_.Abort();
  }

 private:
  void Tell(Exec exec) {
    auto* told = new Exec(exec);
    auto call = [](Napi::Env env, Napi::Function on_exec, Exec* event) {
      std::unique_ptr<Exec> owned(event);
      if (env != nullptr)
        on_exec.Call({Napi::Number::New(env, event->pid),
                      Napi::Number::New(env, static_cast<double>(event->time_ns) / 1e6)});
    };
    if (call_.NonBlockingCall(told, call) != napi_ok) delete told;
  }

  napi_env env_ = nullptr;
  Napi::ThreadSafeFunction call_;
  std::unique_ptr<ExecWatch> watch_;
  bool is_released_ = false;
};

ExecHandle* ExecsOf(const Napi::CallbackInfo& info) {
  if (!info[0].IsExternal()) return nullptr;
  auto external = info[0].As<Napi::External<ExecHandle>>();
  return external.CheckTypeTag(&kExecTag) ? external.Data() : nullptr;
}

// Path of the BPF object, cgroup id, a function of (pid, milliseconds of CLOCK_MONOTONIC).
Napi::Value WatchExecs(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  bool lossless = true;
  ExecWatchConfig config = {
      info[0].As<Napi::String>(), info[1].As<Napi::BigInt>().Uint64Value(&lossless), {}};
  auto handle = std::make_unique<ExecHandle>(env, info[2].As<Napi::Function>());
  Failure failure;
  if (!handle->Open(std::move(config), failure)) {
    Throw(env, failure);
    return env.Undefined();
  }
  auto external =
      Napi::External<ExecHandle>::New(env, handle.release(), [](Napi::Env, ExecHandle* old) { delete old; });
  external.TypeTag(&kExecTag);
  return external;
}

Napi::Value ExecsLost(const Napi::CallbackInfo& info) {
  ExecHandle* handle = ExecsOf(info);
  return Napi::Number::New(info.Env(), handle == nullptr ? 0 : static_cast<double>(handle->Lost()));
}

// Closing twice is fine.
void CloseExecs(const Napi::CallbackInfo& info) {
  if (ExecHandle* handle = ExecsOf(info); handle != nullptr) ExecHandle::Close(handle);
}

// pid, address. Returns [enum FlagByteResult, errno].
Napi::Value SetByte(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  bool lossless = true;
  int error = 0;
  FlagByteResult result = SetFlagByte(info[0].As<Napi::Number>().Int32Value(),
                                      info[1].As<Napi::BigInt>().Uint64Value(&lossless), error);
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(uint32_t{0}, Napi::Number::New(env, static_cast<double>(result)));
  pair.Set(uint32_t{1}, Napi::Number::New(env, error));
  return pair;
}

}  // namespace

void ExportLive(Napi::Env env, Napi::Object exports) {
  exports.Set("watchExecs", Napi::Function::New(env, WatchExecs, "watchExecs"));
  exports.Set("execsLost", Napi::Function::New(env, ExecsLost, "execsLost"));
  exports.Set("closeExecs", Napi::Function::New(env, CloseExecs, "closeExecs"));
  exports.Set("setFlagByte", Napi::Function::New(env, SetByte, "setFlagByte"));
}

}  // namespace flamegate
