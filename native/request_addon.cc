// Moves values between JavaScript and the RequestWatcher. src/native/ validates, names and explains.
#include "request_addon.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "request_watcher.h"

namespace flamegate {
namespace {

struct Handle;
using Handles = std::set<Handle*>;

// What JavaScript holds. The watcher goes with close(), with the handle, or with the environment, whichever
// is first.
struct Handle {
  Handle(std::unique_ptr<RequestWatcher> opened, std::shared_ptr<Handles> all)
      : watcher(std::move(opened)), handles(std::move(all)) {
    handles->insert(this);
  }
  ~Handle() { handles->erase(this); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  std::unique_ptr<RequestWatcher> watcher;
  std::shared_ptr<Handles> handles;
};

// Random; without it, another addon's external, or a sampler's, would be taken for a Handle.
constexpr napi_type_tag kHandleTag = {0x5c1e97d20ab348f6, 0x9be2046f7d1c83a5};

void Throw(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.what);
  error.Set("code", Napi::String::New(env, failure.code));
  error.Set("errno", Napi::Number::New(env, failure.error));
  error.Set("reason", Napi::String::New(env, strerror(failure.error)));
  error.Set("log", Napi::String::New(env, failure.log));
  error.ThrowAsJavaScriptException();
}

Handle* HandleOf(Napi::Value value) {
  if (!value.IsExternal()) return nullptr;
  auto external = value.As<Napi::External<Handle>>();
  return external.CheckTypeTag(&kHandleTag) ? external.Data() : nullptr;
}

// Null, with an exception pending, if the value is no open watcher.
RequestWatcher* WatcherOf(const Napi::CallbackInfo& info) {
  Handle* handle = HandleOf(info[0]);
  if (handle != nullptr && handle->watcher) return handle->watcher.get();
  Throw(info.Env(), {"SAMPLER_CLOSED", "the request watcher is closed", EBADF, {}});
  return nullptr;
}

uint64_t BigIntOf(Napi::Value value) {
  bool lossless = true;
  return value.As<Napi::BigInt>().Uint64Value(&lossless);
}

RequestWatcherConfig ConfigOf(Napi::Object options) {
  auto number = [&](const char* name) { return options.Get(name).As<Napi::Number>().Uint32Value(); };
  RequestWatcherConfig config;
  config.object_path = options.Get("objectPath").As<Napi::String>();
  config.hooks = static_cast<Hooks>(number("hooks"));
  config.ring_bytes = number("ringBytes");
  config.max_containers = number("maxContainers");
  config.max_connections = number("maxConnections");
  config.max_exchanges = number("maxExchanges");
  config.measure = options.Get("measure").As<Napi::Boolean>();
  return config;
}

Napi::Value Open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Failure failure;
  std::unique_ptr<RequestWatcher> watcher =
      RequestWatcher::Open(ConfigOf(info[0].As<Napi::Object>()), failure);
  if (!watcher) {
    Throw(env, failure);
    return env.Undefined();
  }
  auto* handles = static_cast<std::shared_ptr<Handles>*>(info.Data());
  auto* handle = new Handle(std::move(watcher), *handles);
  auto external = Napi::External<Handle>::New(env, handle, [](Napi::Env, Handle* old) { delete old; });
  external.TypeTag(&kHandleTag);
  return external;
}

void Watch(const Napi::CallbackInfo& info) {
  RequestWatcher* watcher = WatcherOf(info);
  if (watcher == nullptr) return;
  Failure failure;
  if (!watcher->Watch(BigIntOf(info[1]), info[2].As<Napi::Number>().Uint32Value(), failure))
    Throw(info.Env(), failure);
}

void Unwatch(const Napi::CallbackInfo& info) {
  RequestWatcher* watcher = WatcherOf(info);
  if (watcher != nullptr) watcher->Unwatch(BigIntOf(info[1]));
}

// process, address.
void CountStops(const Napi::CallbackInfo& info) {
  RequestWatcher* watcher = WatcherOf(info);
  if (watcher == nullptr) return;
  Failure failure;
  if (!watcher->CountStops(info[1].As<Napi::Number>().Uint32Value(), BigIntOf(info[2]), failure))
    Throw(info.Env(), failure);
}

void ForgetStops(const Napi::CallbackInfo& info) {
  RequestWatcher* watcher = WatcherOf(info);
  if (watcher != nullptr) watcher->ForgetStops(info[1].As<Napi::Number>().Uint32Value());
}

constexpr double kStopsUnknown = -1;

// What it stood still from one call to another: another process's memory may say anything.
double StoppedBetween(const Exchange& exchange) {
  const Caller& from = exchange.receiver;
  const Caller& to = exchange.sender;
  bool is_known = from.process == to.process && from.stopped_ns != 0 && to.stopped_ns >= from.stopped_ns;
  if (!is_known) return kStopsUnknown;
  return static_cast<double>(std::min(to.stopped_ns - from.stopped_ns, exchange.latency_ns));
}

// One typed array of a batch.
template <typename Array, typename Field>
Array ColumnOf(Napi::Env env, const std::vector<Exchange>& exchanges, Field field) {
  Array column = Array::New(env, exchanges.size());
  for (size_t i = 0; i < exchanges.size(); i++) {
    column[i] = static_cast<std::remove_reference_t<decltype(column[i])>>(field(exchanges[i]));
  }
  return column;
}

// Each distinct path once, and for each exchange which it is.
void SetPaths(Napi::Env env, Napi::Object batch, const std::vector<Exchange>& exchanges) {
  std::unordered_map<std::string_view, uint32_t> known;
  Napi::Array paths = Napi::Array::New(env);
  auto indices = ColumnOf<Napi::Uint32Array>(env, exchanges, [&](const Exchange& exchange) {
    auto [found, is_new] = known.try_emplace(exchange.path, static_cast<uint32_t>(known.size()));
    if (is_new) paths.Set(found->second, exchange.path);
    return found->second;
  });
  batch.Set("paths", paths);
  batch.Set("pathIndices", indices);
}

// A string for each exchange that has one; nothing for the others.
void SetTraceParents(Napi::Env env, Napi::Object batch, const std::vector<Exchange>& exchanges) {
  Napi::Array parents = Napi::Array::New(env, exchanges.size());
  for (uint32_t i = 0; i < exchanges.size(); i++) {
    const std::optional<TraceParent>& parent = exchanges[i].trace_parent;
    if (parent) parents.Set(i, Napi::String::New(env, parent->data(), parent->size()));
  }
  batch.Set("traceParents", parents);
}

Napi::Value Take(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  RequestWatcher* watcher = WatcherOf(info);
  if (watcher == nullptr) return env.Undefined();
  std::vector<Exchange> exchanges = watcher->Take();
  auto floats = [&](uint64_t Exchange::*field) {
    return ColumnOf<Napi::Float64Array>(env, exchanges, [=](const Exchange& one) { return one.*field; });
  };
  auto bytes = [&](auto field) { return ColumnOf<Napi::Uint8Array>(env, exchanges, field); };
  Napi::Object batch = Napi::Object::New(env);
  batch.Set("containers",
            ColumnOf<Napi::Uint32Array>(env, exchanges, [](const Exchange& one) { return one.container; }));
  batch.Set("startedAtNs", floats(&Exchange::started_ns));
  batch.Set("latencyNs", floats(&Exchange::latency_ns));
  batch.Set("bytesIn", floats(&Exchange::bytes_in));
  batch.Set("bytesOut", floats(&Exchange::bytes_out));
  batch.Set("methods", bytes([](const Exchange& one) { return static_cast<uint8_t>(one.method); }));
  batch.Set("outcomes", bytes([](const Exchange& one) { return static_cast<uint8_t>(one.outcome); }));
  batch.Set("statuses",
            ColumnOf<Napi::Uint16Array>(env, exchanges, [](const Exchange& one) { return one.status; }));
  batch.Set("rpcs", bytes([](const Exchange& one) { return static_cast<uint8_t>(one.rpc); }));
  batch.Set("grpcStatuses", bytes([](const Exchange& one) { return one.grpc_status; }));
  auto numbers = [&](auto field) { return ColumnOf<Napi::Uint32Array>(env, exchanges, field); };
  batch.Set("receivedAtNs", floats(&Exchange::received_ns));
  batch.Set("processes", numbers([](const Exchange& one) { return one.receiver.process; }));
  batch.Set("receivers", numbers([](const Exchange& one) { return one.receiver.thread; }));
  batch.Set("senders", numbers([](const Exchange& one) { return one.sender.thread; }));
  batch.Set("stoppedNs", ColumnOf<Napi::Float64Array>(env, exchanges, StoppedBetween));
  SetPaths(env, batch, exchanges);
  SetTraceParents(env, batch, exchanges);
  return batch;
}

// Per request that is not answered: container, process, thread, and when it was received.
Napi::Value OpenRequests(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  RequestWatcher* watcher = WatcherOf(info);
  if (watcher == nullptr) return env.Undefined();
  std::vector<OpenRequest> open = watcher->Open();
  auto numbers = Napi::Float64Array::New(env, 4 * open.size());
  for (size_t i = 0; i < open.size(); i++) {
    numbers[4 * i] = open[i].container;
    numbers[4 * i + 1] = open[i].receiver.process;
    numbers[4 * i + 2] = open[i].receiver.thread;
    numbers[4 * i + 3] = static_cast<double>(open[i].received_ns);
  }
  return numbers;
}

Napi::Value Count(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  RequestWatcher* watcher = WatcherOf(info);
  if (watcher == nullptr) return env.Undefined();
  WatcherCounters counters = watcher->Count();
  const RequestCounts& requests = counters.requests;
  const HttpCounts& http = requests.http;
  Napi::Object result = Napi::Object::New(env);
  auto set = [&](const char* name, uint64_t value) {
    result.Set(name, Napi::Number::New(env, static_cast<double>(value)));
  };
  // In the order of enum fg_socket_cause.
  constexpr std::array kCauses = {"sent", "ringFull", "tableFull", "noBytes", "notServing", "unknownProtocol",
                                  "tls",  "http2",    "unframed"};
  static_assert(kCauses.size() == FG_SOCKET_CAUSE_COUNT);
  for (size_t i = 0; i < kCauses.size(); i++) set(kCauses[i], counters.by_cause[i]);
  set("records", requests.records);
  set("malformed", requests.malformed);
  set("missed", requests.missed);
  set("noRoom", requests.no_room);
  set("exchanges", requests.exchanges);
  set("notTaken", requests.not_taken);
  set("connections", requests.connections);
  set("garbage", http.garbage);
  set("hidden", http.hidden);
  set("givenUp", http.given_up);
  set("noArrival", http.no_arrival);
  set("upgraded", http.upgraded);
  set("tooMany", http.too_many);
  set("unasked", http.unasked);
  set("unread", http.unread);
  set("unnamed", http.unnamed);
  Napi::Array programs = Napi::Array::New(env);
  for (const ProgramRuns& program : counters.programs) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", Napi::String::New(env, program.name));
    object.Set("runs", Napi::Number::New(env, static_cast<double>(program.runs)));
    object.Set("runNs", Napi::Number::New(env, static_cast<double>(program.run_ns)));
    programs.Set(programs.Length(), object);
  }
  result.Set("programs", programs);
  return result;
}

Napi::Value Hidden(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  RequestWatcher* watcher = WatcherOf(info);
  if (watcher == nullptr) return env.Undefined();
  std::array<uint64_t, FG_HIDDEN_COUNT> hidden = watcher->Hidden(BigIntOf(info[1]));
  Napi::Array counts = Napi::Array::New(env, hidden.size());
  for (uint32_t kind = 0; kind < hidden.size(); kind++) {
    counts.Set(kind, Napi::Number::New(env, static_cast<double>(hidden[kind])));
  }
  return counts;
}

Napi::Value UsesSockets(const Napi::CallbackInfo& info) {
  RequestWatcher* watcher = WatcherOf(info);
  if (watcher == nullptr) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), watcher->UsesSockets());
}

// Closing twice is fine.
void Close(const Napi::CallbackInfo& info) {
  if (Handle* handle = HandleOf(info[0]); handle != nullptr) handle->watcher.reset();
}

}  // namespace

Napi::Object RequestWatcherExports(Napi::Env env) {
  auto* handles = new std::shared_ptr<Handles>(std::make_shared<Handles>());
  // Threads have to end before the environment does, and finalizers of handles come later than that.
  env.AddCleanupHook([handles] {
    for (Handle* handle : **handles) handle->watcher.reset();
    delete handles;
  });
  Napi::Object exports = Napi::Object::New(env);
  exports.Set("abiVersion", Napi::Number::New(env, FG_REQUESTS_ABI_VERSION));
  exports.Set("open", Napi::Function::New(env, Open, "open", handles));
  exports.Set("watch", Napi::Function::New(env, Watch, "watch"));
  exports.Set("unwatch", Napi::Function::New(env, Unwatch, "unwatch"));
  exports.Set("countStops", Napi::Function::New(env, CountStops, "countStops"));
  exports.Set("forgetStops", Napi::Function::New(env, ForgetStops, "forgetStops"));
  exports.Set("take", Napi::Function::New(env, Take, "take"));
  exports.Set("openRequests", Napi::Function::New(env, OpenRequests, "openRequests"));
  exports.Set("counters", Napi::Function::New(env, Count, "counters"));
  exports.Set("hidden", Napi::Function::New(env, Hidden, "hidden"));
  exports.Set("usesSockets", Napi::Function::New(env, UsesSockets, "usesSockets"));
  exports.Set("close", Napi::Function::New(env, Close, "close"));
  return exports;
}

}  // namespace flamegate
