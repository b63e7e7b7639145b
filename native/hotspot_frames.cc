#include "hotspot_frames.h"

#include <algorithm>
#include <array>
#include <utility>

namespace flamegate {
namespace {

// 60 bytes each; the hot loops of a service are interrupted at some thousand instructions.
constexpr size_t kMaxPlaces = 32'768;
constexpr size_t kMaxChainFrames = 256 << 10;
// A method has at most 64 K words of expression stack and locals; frames seen stay below 1 KB.
constexpr uint64_t kMaxFrameDistance = 64 << 10;
// Between a frame's nominal top and its return address there may be the arguments of a method-handle call.
constexpr int kMaxExtraWords = 6;
constexpr uint64_t kWord = 8;
// How far a search goes: hand-written stubs save a handful of registers.
constexpr int kMaxStubWords = 64;
constexpr int kMaxSavedWords = 512;  // all vector registers have 256

bool IsAbove(uint64_t address, uint64_t stack_pointer, uint64_t most) {
  return address >= stack_pointer && address - stack_pointer < most;
}

}  // namespace

std::optional<Mark> HotspotFrames::Step(FrameCursor& cursor, std::vector<uint64_t>& frames) {
  std::optional<Place> place = PlaceOf(cursor.Pc());
  if (!place) return Mark::kUnknownCode;
  switch (place->blob->kind) {
    case BlobKind::kCompiled:
      return Compiled(cursor, *place, frames);
    case BlobKind::kInterpreter:
      return Interpreted(cursor, frames);
    case BlobKind::kAdapter:
      frames.push_back(StubFrame(place->blob->name));
      return Adapter(cursor, frames);
    case BlobKind::kFrameless:
      frames.push_back(StubFrame(place->blob->name));
      return Frameless(cursor, *place->blob, frames);
    case BlobKind::kContinuation:
      if (cursor.HasJavaCallee()) return ReturnBarrier(cursor, frames);
      return Stub(cursor, *place->blob, frames);
    case BlobKind::kStub:
      return Stub(cursor, *place->blob, frames);
  }
  return Mark::kUnknownCode;
}

std::optional<HotspotFrames::Place> HotspotFrames::PlaceOf(uint64_t pc) {
  auto known = places_.find(pc);
  if (known != places_.end() && known->second.blob->serial == known->second.serial) {
    code_.Use(*known->second.blob);
    known->second.used_in = code_.Period();
    return known->second;
  }
  CodeBlob* blob = code_.Find(pc);
  if (blob == nullptr) return std::nullopt;
  if (places_.size() >= kMaxPlaces || chains_.size() >= kMaxChainFrames) {
    ForgetPlaces();
  }
  auto first = static_cast<uint32_t>(chains_.size());
  if (blob->kind == BlobKind::kCompiled) scopes_.Append(*blob, pc, chains_);
  uint32_t site = coroutines_.SiteIn(*blob, pc, std::span(chains_).subspan(first));
  uint32_t count = static_cast<uint32_t>(chains_.size()) - first;
  Place place = {blob, blob->serial, first, count, site, code_.Period()};
  places_.insert_or_assign(pc, place);
  return place;
}

void HotspotFrames::ForgetPlaces() {
  places_.clear();
  chains_.clear();
  coroutines_.ForgetSites();
}

// A JVM runs some of its code while it starts, as it was compiled first, and never again. Places where
// coroutines are resumed are few: they are found again, so that sites are not kept for places that are gone.
void HotspotFrames::ForgetUnused() {
  std::erase_if(places_, [this](const auto& each) {
    const Place& place = each.second;
    bool is_stale = place.blob->serial != place.serial;
    return is_stale || place.used_in < forgot_in_ || place.resume_site != 0;
  });
  std::vector<uint64_t> kept;
  for (auto& [pc, place] : places_) {
    std::span chain = std::span(chains_).subspan(place.first_frame, place.frame_count);
    place.first_frame = static_cast<uint32_t>(kept.size());
    kept.insert(kept.end(), chain.begin(), chain.end());
  }
  kept.shrink_to_fit();
  chains_ = std::move(kept);
  coroutines_.ForgetSites();
  code_.ForgetUnused(forgot_in_);
  forgot_in_ = code_.Period();
}

// Whether compiled code has debug info of exactly this place, as behind every call of Java code.
bool HotspotFrames::IsCall(const Place& place) const {
  return place.frame_count > 0 && (chains_[place.first_frame] & uint64_t{kSafepointPlace} << 52) == 0;
}

// Whether something else is at a leaf's place now than what it ran.
bool HotspotFrames::HasOtherCode(const FrameCursor& cursor) {
  std::array<uint8_t, FG_CODE_BYTES> now;
  std::span ran = cursor.Code();
  return ran.size() == now.size() && memory_.Read(cursor.Pc() - FG_CODE_BYTES_BEFORE, now) &&
         !std::equal(ran.begin(), ran.end(), now.begin());
}

// A deoptimised frame returns to the deopt handler; where it would have returned to is in the frame.
std::optional<Mark> HotspotFrames::Compiled(FrameCursor& cursor, const Place& place,
                                            std::vector<uint64_t>& frames) {
  const CodeBlob& blob = *place.blob;
  uint64_t pc = cursor.Pc();
  if (cursor.IsInterrupted() && code_.MayBeNewer(blob) && HasOtherCode(cursor)) return Mark::kReplacedCode;
  Place named = place;
  if (!cursor.IsInterrupted() && (pc == blob.deopt_handler || pc == blob.deopt_mh_handler)) {
    std::optional<uint64_t> original = cursor.Word(cursor.StackPointer() + blob.original_pc_offset);
    if (original && blob.Holds(*original)) named = PlaceOf(*original).value_or(place);
  }
  // That debug info begins at the very return address confirms code that was there a moment ago: other code's
  // calls are elsewhere, but for code of the same shape.
  bool is_exact = !cursor.IsInterrupted() && IsCall(named);
  if (!code_.IsCertain(blob) && !(is_exact && code_.IsRecent(blob))) {
    uses_.push_back({place.serial, static_cast<uint16_t>(frames.size()), false});
    code_.Doubt(*place.blob);
  }
  std::span chain = std::span(chains_).subspan(named.first_frame, named.frame_count);
  coroutines_.AppendCompiled(named.resume_site, cursor, chain, frames);

  FrameShape shape = FrameShape::kWhole;
  if (cursor.IsInterrupted()) {
    bool is_complete = static_cast<int64_t>(pc - blob.code_begin) >= blob.frame_complete;
    shape = CompiledShape(cursor.Code(), is_complete);
  }
  if (blob.frame_bytes < 2 * kWord) shape = FrameShape::kReturnAddress;  // intrinsics that only jump on
  if (Leave(cursor, shape, blob)) return std::nullopt;
  // The instructions looked like something else: the frame is whole, or it is not there yet, or no more.
  for (FrameShape other : {FrameShape::kWhole, FrameShape::kReturnAddress, FrameShape::kPushedFramePointer}) {
    if (cursor.IsInterrupted() && Leave(cursor, other, blob)) return std::nullopt;
  }
  if (HasNativeCaller(cursor, pc, cursor.StackPointer())) return Mark::kBadFrame;
  // Barriers of some collectors save registers below the frame and call from there.
  uint64_t top = cursor.StackPointer() + std::max(blob.frame_bytes, kWord) - kWord;
  if (LeaveBySearch(cursor, top, kMaxSavedWords)) return std::nullopt;
  return WhyStuck(cursor, blob.frame_bytes);
}

// [fp + 1] return address, [fp] the caller's frame pointer, then downward the sender's stack pointer, the
// last one, the Method, its mirror, profile, cache and locals, the place in the bytecodes (kept in r13 while
// it runs).
std::optional<Mark> HotspotFrames::Interpreted(FrameCursor& cursor, std::vector<uint64_t>& frames) {
  uint64_t fp = cursor.FramePointer();
  auto slot = [&](int64_t words) { return cursor.Word(fp + static_cast<uint64_t>(words) * kWord); };
  if (!IsAbove(fp, cursor.StackPointer(), kMaxFrameDistance)) return InterpreterEntry(cursor, frames);
  if (!slot(1)) return cursor.WhyMissing(fp + kWord);
  std::optional<uint64_t> address = slot(layout_.interpreter_frame_last_sp_offset - 1);
  const MethodTable::Method* method = address && *address != 0 ? methods_.Find(*address) : nullptr;
  if (method == nullptr) return InterpreterEntry(cursor, frames);

  auto bci_of = [&](uint64_t place) {
    return place - method->code_begin < method->code_size ? place - method->code_begin : kUnknownBci;
  };
  uint64_t bci = cursor.IsInterrupted() ? bci_of(cursor.AllRegisters()[kR13]) : kUnknownBci;
  if (bci == kUnknownBci) bci = bci_of(slot(layout_.interpreter_frame_last_sp_offset - 6).value_or(0));
  // First, so that the callers it leads to go with it.
  uses_.push_back({method->id, static_cast<uint16_t>(frames.size()), true});
  uint64_t locals = slot(layout_.interpreter_frame_last_sp_offset - 5).value_or(0);
  coroutines_.AppendInterpreted(method->id, cursor, locals, frames);
  frames.push_back(JavaFrame(method->id, bci, kInterpreted));

  std::optional<uint64_t> sender = slot(layout_.interpreter_frame_sender_sp_offset);
  cursor.Leave(*slot(1), sender.value_or(0), slot(0).value_or(0), true);
  return std::nullopt;
}

// The codelets that make the frame get the Method in rbx and the sender's stack pointer in r13; the return
// address is on the stack, in rax, and on the stack again.
std::optional<Mark> HotspotFrames::InterpreterEntry(FrameCursor& cursor, std::vector<uint64_t>& frames) {
  const Registers& registers = cursor.AllRegisters();
  const MethodTable::Method* method = cursor.IsInterrupted() ? methods_.Find(registers[kRbx]) : nullptr;
  if (method == nullptr) return Mark::kBadFrame;
  uint64_t frame = JavaFrame(method->id, 0, kInterpreted);
  uint64_t sp = cursor.StackPointer();
  uint64_t fp = cursor.FramePointer();
  uint64_t sender = IsAbove(registers[kR13], sp, kMaxFrameDistance) ? registers[kR13] : sp + kWord;

  auto leave_to = [&](std::optional<uint64_t> pc, uint64_t caller_fp) {
    if (!pc || !IsJavaReturn(*pc)) return false;
    frames.push_back(frame);
    cursor.Leave(*pc, sender, caller_fp, true);
    return true;
  };
  if (leave_to(cursor.Word(sp), fp)) return std::nullopt;
  if (IsAbove(fp, sp, kMaxFrameDistance) && leave_to(cursor.Word(fp + kWord), cursor.Word(fp).value_or(0)))
    return std::nullopt;
  if (leave_to(registers[kRax], fp)) return std::nullopt;
  return Mark::kBadFrame;
}

// What stands where compiled code that runs at pc keeps its return address, if its frames are so large.
std::optional<uint64_t> HotspotFrames::CallerOf(const FrameCursor& cursor, uint64_t pc,
                                                uint64_t stack_pointer, uint64_t least_bytes) {
  std::optional<Place> place = code_.Contains(pc) ? PlaceOf(pc) : std::nullopt;
  if (!place || place->blob->kind != BlobKind::kCompiled || place->blob->frame_bytes < least_bytes)
    return std::nullopt;
  return cursor.Word(stack_pointer + place->blob->frame_bytes - kWord);
}

// Whether compiled code that runs at pc may have its frame here: a return address is where it has to be.
bool HotspotFrames::IsFrameOf(const FrameCursor& cursor, uint64_t pc, uint64_t stack_pointer) {
  std::optional<uint64_t> caller = CallerOf(cursor, pc, stack_pointer, kWord);
  return caller && IsReturn(*caller);
}

// Compiled code is called by Java code and by stubs. Where native code seems to have called it, its frame is
// none, but what an earlier call has left there.
bool HotspotFrames::HasNativeCaller(const FrameCursor& cursor, uint64_t pc, uint64_t stack_pointer) {
  std::optional<uint64_t> caller = CallerOf(cursor, pc, stack_pointer, 2 * kWord);
  return caller && !code_.Contains(*caller) && native_.Holds(*caller);
}

// Adapters between compiled and interpreted code keep the sender's stack pointer in r13 while they move
// arguments; the return address is on the stack or, for an instruction or two, in rax. Before r13 is set, it
// is anything.
std::optional<Mark> HotspotFrames::Adapter(FrameCursor& cursor, std::vector<uint64_t>& frames) {
  const Registers& registers = cursor.AllRegisters();
  uint64_t sp = cursor.StackPointer();
  std::optional<uint64_t> pc = cursor.Word(sp);
  if (!pc) return cursor.WhyMissing(sp);
  uint64_t sender = sp + kWord;
  if (cursor.IsInterrupted() && !IsReturn(*pc)) {
    pc = registers[kRax];
    sender = sp;
  }
  if (!IsReturn(*pc))
    return SkipToCall(cursor, frames, kMaxStubWords) ? std::nullopt : std::optional(Mark::kBadReturn);
  if (cursor.IsInterrupted() && IsAbove(registers[kR13], sender, 4096) && !IsFrameOf(cursor, *pc, sender))
    sender = registers[kR13];
  cursor.Leave(*pc, sender, cursor.FramePointer(), true);
  return std::nullopt;
}

// A few registers may be pushed, which hold no code addresses; the frame pointer is the caller's. The caller
// of slow_subtype_check has no debug info for that call, so nothing else tells its return address.
std::optional<Mark> HotspotFrames::Frameless(FrameCursor& cursor, const CodeBlob& blob,
                                             std::vector<uint64_t>& frames) {
  constexpr int kMaxPushedWords = 8;
  for (int i = 0; i <= kMaxPushedWords; i++) {
    uint64_t at = cursor.StackPointer() + static_cast<uint64_t>(i) * kWord;
    std::optional<uint64_t> pc = cursor.Word(at);
    if (!pc) return cursor.WhyMissing(at);
    if (!IsJavaReturn(*pc)) continue;
    cursor.Leave(*pc, at + kWord + blob.frame_bytes, cursor.FramePointer(), true);
    return std::nullopt;
  }
  return SkipToCall(cursor, frames, kMaxStubWords) ? std::nullopt : std::optional(Mark::kBadReturn);
}

std::optional<Mark> HotspotFrames::Stub(FrameCursor& cursor, const CodeBlob& blob,
                                        std::vector<uint64_t>& frames) {
  bool is_entry = cursor.Pc() == static_cast<uint64_t>(layout_.call_stub_return_address);
  frames.push_back(StubFrame(is_entry ? code_.Names().IdOf("call_stub") : blob.name));
  if (is_entry && layout_.entry_frame_call_wrapper_offset < -1) {
    uint64_t slot =
        cursor.FramePointer() + static_cast<uint64_t>(layout_.entry_frame_call_wrapper_offset) * kWord;
    call_wrapper_ = cursor.Word(slot).value_or(0);
  }
  FrameShape shape = cursor.IsInterrupted() ? StubShape(cursor.Code()) : FrameShape::kWhole;
  // Hand-written assembly may be interrupted anywhere: the first place that has a return address.
  if (Leave(cursor, shape, blob) || LeaveByFramePointer(cursor)) return std::nullopt;
  uint64_t return_at = cursor.FramePointer() + kWord;
  if (is_entry && cursor.Stack().IsBehindEnd(return_at)) return cursor.WhyMissing(return_at);
  bool is_left = (cursor.IsInterrupted() && Leave(cursor, FrameShape::kReturnAddress, blob)) ||
                 SkipToCall(cursor, frames, kMaxStubWords);
  return is_left ? std::nullopt : std::optional(WhyStuck(cursor, blob.frame_bytes));
}

// The lowest frame of a mounted virtual thread returns here while its callers are still in the heap. The
// frame above is that of the carrier, which entered the continuation: behind what it keeps for it, frame
// pointer and return address.
std::optional<Mark> HotspotFrames::ReturnBarrier(FrameCursor& cursor, std::vector<uint64_t>& frames) {
  constexpr int kMaxEntryWords = 32;  // ContinuationEntry has 8 to 12
  frames.push_back(MarkFrame(Mark::kFrozenFrames));
  uint64_t sp = cursor.StackPointer();
  for (int i = 1; i <= kMaxEntryWords; i++) {
    uint64_t at = sp + static_cast<uint64_t>(i) * kWord;
    std::optional<uint64_t> pc = cursor.Word(at);
    if (!pc) return cursor.WhyMissing(at);
    if (!code_.Contains(*pc)) continue;
    std::optional<Place> place = PlaceOf(*pc);
    bool is_java =
        place && (place->blob->kind == BlobKind::kCompiled || place->blob->kind == BlobKind::kInterpreter);
    if (!is_java) continue;
    cursor.Leave(*pc, at + kWord, cursor.Word(at - kWord).value_or(0), false);
    return std::nullopt;
  }
  return Mark::kBadReturn;
}

// Leaves the frame as this shape says, if that leads to a return address.
bool HotspotFrames::Leave(FrameCursor& cursor, FrameShape shape, const CodeBlob& blob) {
  bool is_java = blob.kind == BlobKind::kCompiled;
  uint64_t frame_bytes = blob.frame_bytes;
  uint64_t sp = cursor.StackPointer();
  auto leave_to = [&](uint64_t return_at, uint64_t caller_fp) {
    std::optional<uint64_t> pc = cursor.Word(return_at);
    if (!pc || !(is_java ? IsJavaReturn(*pc) : IsReturn(*pc))) return false;
    if (!is_java && HasNativeCaller(cursor, *pc, return_at + kWord)) return false;
    cursor.Leave(*pc, return_at + kWord, caller_fp, is_java);
    return true;
  };
  switch (shape) {
    case FrameShape::kReturnAddress:
      return leave_to(sp, cursor.FramePointer());
    case FrameShape::kPushedFramePointer:
      return leave_to(sp + kWord, cursor.Word(sp).value_or(0));
    case FrameShape::kFramePointerNotYetStored:
      return frame_bytes >= kWord && leave_to(sp + frame_bytes - kWord, cursor.FramePointer());
    case FrameShape::kWhole:
      break;
  }
  if (frame_bytes < 2 * kWord) return false;
  for (int extra = 0; extra <= kMaxExtraWords; extra++) {
    uint64_t return_at = sp + frame_bytes + static_cast<uint64_t>(extra - 1) * kWord;
    if (leave_to(return_at, cursor.Word(return_at - kWord).value_or(0))) return true;
  }
  return false;
}

// The copy is too short, or there is no return address where one has to be.
Mark HotspotFrames::WhyStuck(const FrameCursor& cursor, uint64_t frame_bytes) const {
  uint64_t last = cursor.StackPointer() + frame_bytes;
  return cursor.Stack().IsBehindEnd(last) ? cursor.WhyMissing(last) : Mark::kBadReturn;
}

// The stub that a method's entry barrier calls has a cookie of -1 between frame pointer and return address.
bool HotspotFrames::LeaveByFramePointer(FrameCursor& cursor) {
  constexpr uint64_t kCookie = ~uint64_t{0};
  uint64_t fp = cursor.FramePointer();
  if (!IsAbove(fp, cursor.StackPointer(), kMaxFrameDistance)) return false;
  uint64_t return_at = fp + kWord;
  if (cursor.Word(return_at) == kCookie) return_at += kWord;
  std::optional<uint64_t> pc = cursor.Word(return_at);
  if (!pc || !IsReturn(*pc) || HasNativeCaller(cursor, *pc, return_at + kWord)) return false;
  cursor.Leave(*pc, return_at + kWord, cursor.Word(fp).value_or(0), false);
  return true;
}

void HotspotFrames::BeginStack(const ThreadSnapshot& thread) {
  if (!has_heaps_ && std::exchange(may_load_heaps_, false)) has_heaps_ = code_.Load();
  call_wrapper_ = 0;
  uses_.clear();
  code_.BeginStack(thread.time_ns, thread.collections);
  coroutines_.BeginStack();
}

// Later than the sample: what is there still was there then.
bool HotspotFrames::Confirm() {
  if (!code_.IsCareful()) return true;
  if (!code_.Confirm()) return false;
  std::erase_if(uses_, [](const CodeUse& use) { return !use.is_method; });
  return true;
}

void HotspotFrames::Settle(ReplacedCode& replaced) {
  code_.Settle(replaced);
  methods_.Settle(replaced);
  if (!replaced.methods.empty()) {
    ForgetPlaces();
    scopes_.Forget();
  }
  threads_.Revalidate();
  coroutines_.Revalidate();
  may_load_heaps_ = true;
}

}  // namespace flamegate
