#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "class_signs.h"
#include "foreign_memory.h"
#include "heap_layout.h"
#include "hotspot_layout.h"
#include "method_table.h"

namespace flamegate {

/// A class that frames refer to, at its first sight. Its annotations are read later, from its address, if the
/// class is still what it was.
struct NewClass {
  uint32_t id;
  uint64_t address;
  std::string name;
};

/// What of a class decides how a chain of continuations goes on. src/jvm/coroutine-chain.ts has the same
/// rules.
struct ContinuationClass {
  enum class Kind : uint8_t {
    kFunction,   ///< the state of a suspended function, which has a caller
    kPassingOn,  ///< only passes on to another continuation: withContext, coroutineScope, a flow's collector
    kCoroutine,  ///< what launch, async and runBlocking start: a Job, and the end
    kPipelineEntrance,  ///< what all interceptors of a pipeline of Ktor's have for their caller
    kPipeline,          ///< a pipeline of Ktor's, no continuation itself
    kContinuations,     ///< an array of continuations
    kEnded,             ///< stands for what a dispatcher had made of a function that has ended
    kOther,             ///< no continuation, or one of which nothing is known
  };
  Kind kind = Kind::kOther;
  uint32_t id = 0;  ///< of functions and coroutines
  /// Where the caller is; of functions and those that pass on. Of the entrance, where the pipeline is, and of
  /// that, where the stack is of those that called `proceed`.
  uint32_t next = 0;
  /// Where the place in the function is; 0: nowhere. Of a pipeline, where the place in its stack is.
  uint32_t label = 0;
  uint32_t intercepted = 0;  ///< of functions: where what a dispatcher made of it is; 0: nowhere
  uint64_t constants = 0;
  ClassSigns signs = {};
};

inline bool IsContinuation(ContinuationClass::Kind kind) {
  return kind <= ContinuationClass::Kind::kPipelineEntrance;
}

/// The classes of a JVM that were met on the way along continuations.
///
/// They are found here and not told by JavaScript, for a chain leads from one unknown class to the next: told
/// with each take, a chain of ten would be known after ten of them. It takes some thirty reads once a class,
/// and the two ways in which HotSpot keeps fields.
class ContinuationClasses {
 public:
  ContinuationClasses(ForeignMemory& memory, const HotspotLayout& layout, const HeapLayout& heap,
                      MethodTable& methods)
      : memory_(memory), layout_(layout), heap_(heap), methods_(methods) {}

  /// Null, if that is no class or cannot be read. Valid until the next call.
  const ContinuationClass* Find(uint64_t klass);
  /// Drops those whose address is another class's by now.
  void Revalidate();
  std::vector<NewClass> TakeNew() { return std::exchange(new_classes_, {}); }

 private:
  struct Ancestor {
    uint64_t klass;
    uint64_t symbol;
    std::string name;
  };

  std::optional<ContinuationClass> Read(uint64_t klass);
  std::optional<std::vector<Ancestor>> LineageOf(uint64_t klass);
  std::optional<uint32_t> FieldOffset(uint64_t klass, const char* name);
  std::vector<uint8_t> ArrayAt(uint64_t address, size_t element_bytes);

  ForeignMemory& memory_;
  const HotspotLayout& layout_;
  const HeapLayout& heap_;
  MethodTable& methods_;
  std::unordered_map<uint64_t, ContinuationClass> classes_;
  std::vector<NewClass> new_classes_;
  uint32_t last_id_ = 0;
};

}  // namespace flamegate
