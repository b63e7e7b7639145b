// The addon's edge: moves values between JavaScript and the Sampler. src/native/ validates, names and
// explains.
#include <napi.h>

#include <cstring>
#include <memory>
#include <set>
#include <span>
#include <utility>

#include "addon_failure.h"
#include "bpf_log.h"
#include "code_pages.h"
#include "live_edge.h"
#include "lockdown_edge.h"
#include "request_addon.h"
#include "sampler.h"

namespace flamegate {
namespace {

struct Handle;
using Handles = std::set<Handle*>;

// What JavaScript holds. The sampler goes with close(), with the handle, or with the environment, whichever
// is first.
struct Handle {
  Handle(std::unique_ptr<Sampler> opened, std::shared_ptr<Handles> all)
      : sampler(std::move(opened)), handles(std::move(all)) {
    handles->insert(this);
  }
  ~Handle() { handles->erase(this); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  std::unique_ptr<Sampler> sampler;
  std::shared_ptr<Handles> handles;
};

// Per environment, that is per thread of JavaScript.
struct State {
  std::shared_ptr<Handles> handles = std::make_shared<Handles>();
};

// Random; without it, another addon's external given to us would be taken for a Handle.
constexpr napi_type_tag kHandleTag = {0x8d3f6b0c51e24a97, 0xb19c27d4e60f8a35};

// Null, with an exception pending, if the value is no open sampler.
Sampler* SamplerOf(const Napi::CallbackInfo& info) {
  Napi::Value value = info[0];
  Handle* handle = nullptr;
  if (value.IsExternal()) {
    auto external = value.As<Napi::External<Handle>>();
    if (external.CheckTypeTag(&kHandleTag)) handle = external.Data();
  }
  if (handle != nullptr && handle->sampler) return handle->sampler.get();
  Throw(info.Env(), {"SAMPLER_CLOSED", "the sampler is closed", EBADF, {}});
  return nullptr;
}

uint64_t BigIntOf(Napi::Value value) {
  bool lossless = true;
  return value.As<Napi::BigInt>().Uint64Value(&lossless);
}

SamplerConfig ConfigOf(Napi::Object options) {
  auto number = [&](const char* name) { return options.Get(name).As<Napi::Number>().Uint32Value(); };
  SamplerConfig config;
  config.object_path = options.Get("objectPath").As<Napi::String>();
  config.frequency_hz = number("frequencyHz");
  config.filter = options.Get("byPid").As<Napi::Boolean>() ? FG_FILTER_PID : FG_FILTER_CGROUP;
  config.max_user_frames = number("maxUserFrames");
  config.ring_bytes = number("ringBytes");
  config.max_targets = number("maxTargets");
  config.max_processes = number("maxProcesses");
  config.max_stacks = number("maxStacks");
  config.measure = options.Get("measure").As<Napi::Boolean>();
  config.offcpu_object_path = options.Get("offCpuObjectPath").As<Napi::String>();
  config.max_waiting_threads = number("maxWaitingThreads");
  config.io_object_path = options.Get("ioObjectPath").As<Napi::String>();
  auto cpus = options.Get("cpus").As<Napi::Array>();
  for (uint32_t i = 0; i < cpus.Length(); i++)
    config.cpus.push_back(cpus.Get(i).As<Napi::Number>().Int32Value());
  return config;
}

Napi::Value BigArrayOf(Napi::Env env, std::span<const uint64_t> values) {
  auto array = Napi::BigUint64Array::New(env, values.size());
  if (!values.empty()) memcpy(array.Data(), values.data(), values.size_bytes());
  return array;
}

Napi::Value ArrayOf(Napi::Env env, std::span<const uint32_t> values) {
  auto array = Napi::Uint32Array::New(env, values.size());
  if (!values.empty()) memcpy(array.Data(), values.data(), values.size_bytes());
  return array;
}

Napi::Value Open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Failure failure;
  std::unique_ptr<Sampler> sampler = Sampler::Open(ConfigOf(info[0].As<Napi::Object>()), failure);
  if (!sampler) {
    Throw(env, failure);
    return env.Undefined();
  }
  auto* handle = new Handle(std::move(sampler), env.GetInstanceData<State>()->handles);
  auto external = Napi::External<Handle>::New(env, handle, [](Napi::Env, Handle* old) { delete old; });
  external.TypeTag(&kHandleTag);
  return external;
}

void AddTarget(const Napi::CallbackInfo& info) {
  Failure failure;
  Sampler* sampler = SamplerOf(info);
  if (sampler != nullptr && !sampler->AddTarget(BigIntOf(info[1]), failure)) Throw(info.Env(), failure);
}

void RemoveTarget(const Napi::CallbackInfo& info) {
  Failure failure;
  Sampler* sampler = SamplerOf(info);
  if (sampler != nullptr && !sampler->RemoveTarget(BigIntOf(info[1]), failure)) Throw(info.Env(), failure);
}

void SetFrequency(const Napi::CallbackInfo& info) {
  Sampler* sampler = SamplerOf(info);
  if (sampler != nullptr) sampler->SetFrequency(info[1].As<Napi::Number>().Uint32Value());
}

// target, part of its ticks.
void Thin(const Napi::CallbackInfo& info) {
  Failure failure;
  Sampler* sampler = SamplerOf(info);
  if (sampler == nullptr) return;
  if (!sampler->Thin(BigIntOf(info[1]), info[2].As<Napi::Number>().DoubleValue(), failure))
    Throw(info.Env(), failure);
}

// target, nanoseconds.
void AddWaits(const Napi::CallbackInfo& info) {
  Failure failure;
  Sampler* sampler = SamplerOf(info);
  if (sampler == nullptr) return;
  if (!sampler->AddWaits(BigIntOf(info[1]), BigIntOf(info[2]), failure)) Throw(info.Env(), failure);
}

void RemoveWaits(const Napi::CallbackInfo& info) {
  Sampler* sampler = SamplerOf(info);
  if (sampler != nullptr) sampler->RemoveWaits(BigIntOf(info[1]));
}

// targets, all of them.
void KeepMoments(const Napi::CallbackInfo& info) {
  Sampler* sampler = SamplerOf(info);
  if (sampler == nullptr) return;
  auto targets = info[1].As<Napi::BigUint64Array>();
  sampler->KeepMoments({targets.Data(), targets.Data() + targets.ElementLength()});
}

// target, nanoseconds.
void AddIo(const Napi::CallbackInfo& info) {
  Failure failure;
  Sampler* sampler = SamplerOf(info);
  if (sampler == nullptr) return;
  if (!sampler->AddIo(BigIntOf(info[1]), BigIntOf(info[2]), failure)) Throw(info.Env(), failure);
}

void RemoveIo(const Napi::CallbackInfo& info) {
  Sampler* sampler = SamplerOf(info);
  if (sampler != nullptr) sampler->RemoveIo(BigIntOf(info[1]));
}

// pid, layout (as many numbers as kHotspotLayoutNames has, or none), most bytes of a stack.
void AddProcess(const Napi::CallbackInfo& info) {
  Sampler* sampler = SamplerOf(info);
  if (sampler == nullptr) return;
  ProcessConfig config = {
      info[1].As<Napi::Number>().Uint32Value(), {}, info[3].As<Napi::Number>().Uint32Value()};
  auto numbers = info[2].As<Napi::BigInt64Array>();
  if (numbers.ElementLength() == kHotspotLayoutNames.size()) {
    config.layout = LayoutOf({numbers.Data(), numbers.ElementLength()});
  }
  Failure failure;
  if (!sampler->AddProcess(config, failure)) Throw(info.Env(), failure);
}

// pid, heap layout (as many numbers as kHeapLayoutNames has).
void FollowCoroutines(const Napi::CallbackInfo& info) {
  Sampler* sampler = SamplerOf(info);
  if (sampler == nullptr) return;
  auto numbers = info[2].As<Napi::BigInt64Array>();
  HeapLayout heap = HeapLayoutOf({numbers.Data(), numbers.ElementLength()});
  Failure failure;
  if (!sampler->FollowCoroutines(info[1].As<Napi::Number>().Uint32Value(), heap, failure))
    Throw(info.Env(), failure);
}

void RemoveProcess(const Napi::CallbackInfo& info) {
  Sampler* sampler = SamplerOf(info);
  if (sampler != nullptr) sampler->RemoveProcess(info[1].As<Napi::Number>().Uint32Value());
}

Napi::Value BytesOf(Napi::Env env, std::span<const uint8_t> bytes) {
  auto array = Napi::Uint8Array::New(env, bytes.size());
  if (!bytes.empty()) memcpy(array.Data(), bytes.data(), bytes.size());
  return array;
}

Napi::Object ObjectOf(Napi::Env env, uint32_t pid, const NewMethod& method) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", Napi::Number::New(env, pid));
  object.Set("id", Napi::Number::New(env, method.id));
  object.Set("holder", Napi::String::New(env, method.holder));
  object.Set("name", Napi::String::New(env, method.name));
  object.Set("signature", Napi::String::New(env, method.signature));
  object.Set("sourceFile", Napi::String::New(env, method.source_file));
  object.Set("lineTable", BytesOf(env, method.line_table));
  object.Set("isLineTableCut", Napi::Boolean::New(env, method.is_line_table_cut));
  return object;
}

Napi::Object ObjectOf(Napi::Env env, uint32_t pid, const NewName& name) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", Napi::Number::New(env, pid));
  object.Set("id", Napi::Number::New(env, name.id));
  object.Set("name", Napi::String::New(env, name.text));
  return object;
}

Napi::Object ObjectOf(Napi::Env env, uint32_t pid, const NewClass& found) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", Napi::Number::New(env, pid));
  object.Set("id", Napi::Number::New(env, found.id));
  object.Set("address", Napi::BigInt::New(env, found.address));
  object.Set("name", Napi::String::New(env, found.name));
  return object;
}

// One array of all processes.
template <typename Item>
Napi::Array ArrayOf(Napi::Env env, const std::vector<ProcessNews>& news,
                    std::vector<Item> ProcessNews::*items) {
  Napi::Array array = Napi::Array::New(env);
  for (const ProcessNews& process : news) {
    for (const Item& item : process.*items) array.Set(array.Length(), ObjectOf(env, process.pid, item));
  }
  return array;
}

// Rows begin where their numbers do in "rows". Weights are those of waits.
void SetMoments(Napi::Env env, Napi::Object batch, std::span<const Moment> moments) {
  auto column = [&](auto array, auto field) {
    for (size_t i = 0; i < moments.size(); i++) {
      array[i] = static_cast<std::remove_reference_t<decltype(array[i])>>(moments[i].*field);
    }
    return array;
  };
  batch.Set("momentRows", column(Napi::Uint32Array::New(env, moments.size()), &Moment::row));
  batch.Set("momentThreads", column(Napi::Uint32Array::New(env, moments.size()), &Moment::thread));
  batch.Set("momentNs", column(Napi::Float64Array::New(env, moments.size()), &Moment::time_ns));
  batch.Set("momentWeights", column(Napi::Float64Array::New(env, moments.size()), &Moment::weight));
}

Napi::Value WeighedOf(Napi::Env env, const Aggregate& aggregate, std::span<const uint64_t> targets) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("addresses", BigArrayOf(env, aggregate.Addresses()));
  result.Set("rows", ArrayOf(env, aggregate.Rows()));
  result.Set("rowCount", Napi::Number::New(env, aggregate.RowCount()));
  result.Set("weights", BigArrayOf(env, aggregate.Weights()));
  result.Set("targets", BigArrayOf(env, targets));
  return result;
}

// Per target: id, nanoseconds of lost stacks, then for each kind of enum fg_wait_kind the waits and their
// nanoseconds.
Napi::Value WaitsOf(Napi::Env env, const WaitBatch& waits) {
  std::vector<uint64_t> targets;
  for (const auto& [target, lost_ns, totals] : waits.targets) {
    targets.insert(targets.end(), {target, lost_ns});
    for (const fg_wait_total& total : totals) targets.insert(targets.end(), {total.waits, total.ns});
  }
  Napi::Object result = WeighedOf(env, waits.aggregate, targets).As<Napi::Object>();
  SetMoments(env, result, waits.aggregate.Moments());
  return result;
}

// Per target: id, calls that are in no total, calls of lost stacks and their nanoseconds, then for each kind
// of enum fg_io_kind the calls, those that failed, the bytes, the nanoseconds, and the calls by what they
// took.
Napi::Value IoOf(Napi::Env env, const IoBatch& io) {
  std::vector<uint64_t> targets;
  for (const auto& [target, counts] : io.targets) {
    targets.insert(targets.end(), {target, counts.unseen, counts.lost_calls, counts.lost_ns});
    for (const fg_io_total& total : counts.totals) {
      targets.insert(targets.end(), {total.calls, total.failed, total.bytes, total.ns});
      targets.insert(targets.end(), std::begin(total.buckets), std::end(total.buckets));
    }
  }
  return WeighedOf(env, io.stacks, targets);
}

// Per target, in this order: id, taken, lost to the full ring, lost to the full table, no user stack,
// truncated.
Napi::Value Take(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Sampler* sampler = SamplerOf(info);
  if (sampler == nullptr) return env.Undefined();
  Batch batch = sampler->Take();
  std::vector<uint64_t> targets;
  for (const auto& [target, tally, ring_full] : batch.targets) {
    targets.insert(targets.end(),
                   {target, tally.taken, ring_full, tally.table_full, tally.no_user_stack, tally.truncated});
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("addresses", BigArrayOf(env, batch.aggregate.Addresses()));
  result.Set("rows", ArrayOf(env, batch.aggregate.Rows()));
  result.Set("rowCount", Napi::Number::New(env, batch.aggregate.RowCount()));
  result.Set("targets", BigArrayOf(env, targets));
  SetMoments(env, result, batch.aggregate.Moments());
  result.Set("methods", ArrayOf(env, batch.news, &ProcessNews::methods));
  result.Set("names", ArrayOf(env, batch.news, &ProcessNews::names));
  result.Set("classes", ArrayOf(env, batch.news, &ProcessNews::classes));
  if (batch.waits) result.Set("waits", WaitsOf(env, *batch.waits));
  if (batch.io) result.Set("io", IoOf(env, *batch.io));
  return result;
}

// perCpu: FG_CAUSE_COUNT numbers for each possible CPU, in the order of enum fg_cause. unwinding: complete
// stacks, foreign reads, failed ones, stacks in a pause, then stacks by enum Mark, then by the microseconds
// they took. chains: resumed coroutines by enum ChainEnd, then the reads and nanoseconds they took. waits:
// scans, stacks taken, waits that ended meanwhile, nanoseconds of scans, switches without room, runs, their
// nanoseconds. io: runs of its programs, and their nanoseconds.
Napi::Value Count(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Sampler* sampler = SamplerOf(info);
  if (sampler == nullptr) return env.Undefined();
  Counters counters = sampler->Count();
  std::vector<uint64_t> per_cpu;
  for (const fg_cpu_counters& cpu : counters.per_cpu) {
    per_cpu.insert(per_cpu.end(), std::begin(cpu.by_cause), std::end(cpu.by_cause));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("perCpu", BigArrayOf(env, per_cpu));
  result.Set("taken", Napi::Number::New(env, static_cast<double>(counters.taken)));
  result.Set("tableFull", Napi::Number::New(env, static_cast<double>(counters.table_full)));
  result.Set("malformed", Napi::Number::New(env, static_cast<double>(counters.malformed)));
  const UnwindCounts& unwound = counters.unwound;
  std::vector<uint64_t> unwinding = {unwound.complete, unwound.reads, unwound.failed_reads, unwound.in_pause};
  unwinding.insert(unwinding.end(), unwound.by_mark.begin(), unwound.by_mark.end());
  unwinding.insert(unwinding.end(), unwound.by_microseconds.begin(), unwound.by_microseconds.end());
  result.Set("unwinding", BigArrayOf(env, unwinding));
  std::vector<uint64_t> chains(unwound.chains.by_end.begin(), unwound.chains.by_end.end());
  chains.insert(chains.end(), {unwound.chains.reads, unwound.chains.ns});
  result.Set("chains", BigArrayOf(env, chains));
  const WaitScanCounts& waits = counters.waits;
  std::vector<uint64_t> scans = {
      waits.scans,      waits.waits,       waits.moved, waits.scan_ns, waits.probe.threads_full,
      waits.probe.runs, waits.probe.run_ns};
  result.Set("waits", BigArrayOf(env, scans));
  const uint64_t io[] = {counters.io.runs, counters.io.run_ns};
  result.Set("io", BigArrayOf(env, io));
  result.Set("runs", Napi::Number::New(env, static_cast<double>(counters.runs)));
  result.Set("runNs", Napi::Number::New(env, static_cast<double>(counters.run_ns)));
  return result;
}

// Closing twice is fine.
void Close(const Napi::CallbackInfo& info) {
  if (!info[0].IsExternal()) return;
  auto external = info[0].As<Napi::External<Handle>>();
  if (external.CheckTypeTag(&kHandleTag)) external.Data()->sampler.reset();
}

Napi::Value ReleaseCode(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(ReleaseCodePages()));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  RouteBpfLog();
  auto* state = new State;
  env.SetInstanceData(state);
  // Threads have to end before the environment does, and finalizers of handles come later than that.
  env.AddCleanupHook([handles = state->handles] {
    for (Handle* handle : *handles) handle->sampler.reset();
  });
  Napi::Array layout = Napi::Array::New(env);
  for (const char* name : kHotspotLayoutNames) layout.Set(layout.Length(), name);
  exports.Set("layoutFields", layout);
  Napi::Array heap = Napi::Array::New(env);
  for (const char* name : kHeapLayoutNames) heap.Set(heap.Length(), name);
  exports.Set("heapFields", heap);
  exports.Set("abiVersion", Napi::Number::New(env, FG_CPU_ABI_VERSION));
  exports.Set("open", Napi::Function::New(env, Open, "open"));
  exports.Set("addTarget", Napi::Function::New(env, AddTarget, "addTarget"));
  exports.Set("removeTarget", Napi::Function::New(env, RemoveTarget, "removeTarget"));
  exports.Set("setFrequency", Napi::Function::New(env, SetFrequency, "setFrequency"));
  exports.Set("thin", Napi::Function::New(env, Thin, "thin"));
  exports.Set("addProcess", Napi::Function::New(env, AddProcess, "addProcess"));
  exports.Set("followCoroutines", Napi::Function::New(env, FollowCoroutines, "followCoroutines"));
  exports.Set("removeProcess", Napi::Function::New(env, RemoveProcess, "removeProcess"));
  exports.Set("addWaits", Napi::Function::New(env, AddWaits, "addWaits"));
  exports.Set("removeWaits", Napi::Function::New(env, RemoveWaits, "removeWaits"));
  exports.Set("addIo", Napi::Function::New(env, AddIo, "addIo"));
  exports.Set("removeIo", Napi::Function::New(env, RemoveIo, "removeIo"));
  exports.Set("keepMoments", Napi::Function::New(env, KeepMoments, "keepMoments"));
  exports.Set("take", Napi::Function::New(env, Take, "take"));
  exports.Set("counters", Napi::Function::New(env, Count, "counters"));
  exports.Set("close", Napi::Function::New(env, Close, "close"));
  exports.Set("releaseCodePages", Napi::Function::New(env, ReleaseCode, "releaseCodePages"));
  ExportLive(env, exports);
  ExportLockdown(env, exports);
  exports.Set("requests", RequestWatcherExports(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(flamegate, Init)

}  // namespace flamegate
