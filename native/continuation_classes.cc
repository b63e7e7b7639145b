#include "continuation_classes.h"

#include <algorithm>

#include "bytes.h"
#include "field_info.h"

namespace flamegate {
namespace {

constexpr size_t kMaxClasses = 16'384;   // 80 bytes each; a large service has some thousand suspend functions
constexpr size_t kMaxNewClasses = 4096;  // between two takes, 100 bytes each
constexpr uint32_t kLastId = 1u << 31;   // the number of 32 bits never runs out
constexpr size_t kMaxSupers = 32;        // continuations have 5, a deep framework 12
constexpr size_t kMaxFieldBytes = 64 << 10;
constexpr size_t kArrayHeader = 4;               // Array<u1> and Array<u2>: a length, then the elements
constexpr uint64_t kPointerMask = ~uint64_t{1};  // the lowest bit of a pool slot marks unresolved ones

using Kind = ContinuationClass::Kind;

constexpr char kFunction[] = "kotlin/coroutines/jvm/internal/BaseContinuationImpl";
constexpr char kInterceptedFunction[] = "kotlin/coroutines/jvm/internal/ContinuationImpl";
constexpr char kCoroutine[] = "kotlinx/coroutines/AbstractCoroutine";

/// Classes by the fields that lead on: the first that is among a class and its ancestors counts.
struct Guide {
  const char* name;
  Kind kind;
  const char* next;
  const char* label;
};
constexpr Guide kGuides[] = {
    // A coroutine too, but its caller waits.
    {"kotlinx/coroutines/internal/ScopeCoroutine", Kind::kPassingOn, "uCont", nullptr},
    // A function too, but of no one's.
    {"kotlinx/coroutines/flow/internal/SafeCollector", Kind::kPassingOn, "completion_", nullptr},
    // What a function is resumed by, where that is kept instead of itself.
    {"kotlinx/coroutines/internal/DispatchedContinuation", Kind::kPassingOn, "continuation", nullptr},
    {"kotlinx/coroutines/CancellableContinuationImpl", Kind::kPassingOn, "delegate", nullptr},
    {"kotlin/coroutines/SafeContinuation", Kind::kPassingOn, "delegate", nullptr},
    {"io/ktor/util/pipeline/SuspendFunctionGun$continuation$1", Kind::kPipelineEntrance, "this$0", nullptr},
    {"io/ktor/util/pipeline/SuspendFunctionGun", Kind::kPipeline, "suspensions", "lastSuspensionIndex"},
    {"[Lkotlin/coroutines/Continuation;", Kind::kContinuations, nullptr, nullptr},
    {"kotlin/coroutines/jvm/internal/CompletedContinuation", Kind::kEnded, nullptr, nullptr},
};

}  // namespace

const ContinuationClass* ContinuationClasses::Find(uint64_t klass) {
  auto known = classes_.find(klass);
  if (known != classes_.end()) return &known->second;
  std::optional<ContinuationClass> read = Read(klass);
  if (!read) return nullptr;
  if (classes_.size() >= kMaxClasses) classes_.clear();  // they get other numbers then
  return &classes_.emplace(klass, *read).first->second;
}

std::optional<ContinuationClass> ContinuationClasses::Read(uint64_t klass) {
  if (klass == 0 || new_classes_.size() >= kMaxNewClasses || last_id_ == kLastId) return std::nullopt;
  std::optional<std::vector<Ancestor>> lineage = LineageOf(klass);
  auto constants = memory_.Get<uint64_t>(klass + static_cast<uint64_t>(heap_.instance_klass_constants));
  if (!lineage || !constants) return std::nullopt;
  auto ancestor = [&](const char* name) -> uint64_t {
    auto found =
        std::find_if(lineage->begin(), lineage->end(), [&](auto& each) { return each.name == name; });
    return found == lineage->end() ? 0 : found->klass;
  };

  ContinuationClass result;
  result.constants = *constants;
  uint64_t symbol = lineage->front().symbol;
  result.signs = {klass, symbol, SymbolHead(memory_.Get<uint64_t>(symbol).value_or(0))};
  auto offset_in = [&](uint64_t declaring, const char* field) {
    return field == nullptr ? 0 : FieldOffset(declaring, field);
  };
  for (const Guide& guide : kGuides) {
    uint64_t declaring = ancestor(guide.name);
    if (declaring == 0) continue;
    std::optional<uint32_t> next = offset_in(declaring, guide.next);
    std::optional<uint32_t> label = offset_in(declaring, guide.label);
    if (!next || !label) return result;  // a release that has other fields
    result.kind = guide.kind;
    result.next = *next;
    result.label = *label;
    return result;
  }
  if (uint64_t declaring = ancestor(kFunction); declaring != 0) {
    std::optional<uint32_t> next = FieldOffset(declaring, "completion");
    if (!next) return std::nullopt;
    result.kind = Kind::kFunction;
    result.next = *next;
    result.label = FieldOffset(klass, "label").value_or(0);
    uint64_t intercepted = ancestor(kInterceptedFunction);
    if (intercepted != 0) result.intercepted = FieldOffset(intercepted, "intercepted").value_or(0);
  } else if (ancestor(kCoroutine) != 0) {
    result.kind = Kind::kCoroutine;
  } else {
    return result;
  }
  result.id = ++last_id_;
  new_classes_.push_back({result.id, klass, lineage->front().name});
  return result;
}

// The class itself and its superclasses, up to java/lang/Object.
std::optional<std::vector<ContinuationClasses::Ancestor>> ContinuationClasses::LineageOf(uint64_t klass) {
  std::vector<Ancestor> lineage;
  for (uint64_t each = klass; each != 0 && lineage.size() < kMaxSupers;) {
    const uint64_t places[] = {each + static_cast<uint64_t>(layout_.klass_name),
                               each + static_cast<uint64_t>(heap_.klass_super)};
    uint64_t words[2];
    memory_.Gather(places, words);
    std::optional<std::string> name = methods_.Symbol(words[0]);
    if (!name) return std::nullopt;
    lineage.push_back({each, words[0], std::move(*name)});
    each = words[1];
  }
  return lineage;
}

// Of a field that the class itself declares.
std::optional<uint32_t> ContinuationClasses::FieldOffset(uint64_t klass, const char* name) {
  auto member = [&](int64_t offset) {
    return memory_.Get<uint64_t>(klass + static_cast<uint64_t>(offset)).value_or(0);
  };
  uint64_t pool = member(heap_.instance_klass_constants);
  auto length = memory_.Get<uint32_t>(pool + static_cast<uint64_t>(layout_.constant_pool_length)).value_or(0);
  std::vector<FieldInfo> fields;
  if (heap_.instance_klass_fieldinfo_stream != -1) {
    std::vector<uint8_t> stream = ArrayAt(member(heap_.instance_klass_fieldinfo_stream), 1);
    fields = ParseFieldStream(stream, static_cast<uint32_t>(layout_.unsigned5_excluded));
  } else {
    auto count = static_cast<uint16_t>(member(heap_.instance_klass_java_fields_count));
    fields = ParseFieldSlots(ArrayAt(member(heap_.instance_klass_fields), 2), count);
  }
  uint64_t slots = pool + static_cast<uint64_t>(layout_.constant_pool_size);
  for (const FieldInfo& field : fields) {
    if (field.name_index == 0 || field.name_index >= length) continue;
    auto symbol = memory_.Get<uint64_t>(slots + 8 * uint64_t{field.name_index});
    if (symbol && methods_.Symbol(*symbol & kPointerMask) == name) return field.offset;
  }
  return std::nullopt;
}

std::vector<uint8_t> ContinuationClasses::ArrayAt(uint64_t address, size_t element_bytes) {
  auto length = address == 0 ? 0 : memory_.Get<uint32_t>(address).value_or(0);
  size_t size = size_t{length} * element_bytes;
  if (size == 0 || size > kMaxFieldBytes) return {};
  std::vector<uint8_t> bytes(size);
  if (!memory_.Read(address + kArrayHeader, bytes)) return {};
  return bytes;
}

void ContinuationClasses::Revalidate() {
  constexpr size_t kSigns = 1 + kClassSigns;
  std::vector<uint64_t> addresses;
  std::vector<uint64_t> places;
  for (const auto& [klass, facts] : classes_) {
    addresses.push_back(klass);
    places.push_back(klass + static_cast<uint64_t>(heap_.instance_klass_constants));
    AppendPlaces(facts.signs, layout_, places);
  }
  std::vector<uint64_t> now(places.size());
  memory_.Gather(places, now);
  for (size_t i = 0; i < addresses.size(); i++) {
    auto known = classes_.find(addresses[i]);
    std::span words = std::span(now).subspan(i * kSigns, kSigns);
    bool is_still = known->second.constants == words[0] &&
                    MayStillBe(words.subspan<1, kClassSigns>(), known->second.signs);
    if (!is_still) classes_.erase(known);
  }
}

}  // namespace flamegate
