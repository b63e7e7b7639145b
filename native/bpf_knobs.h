#pragma once
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "failure.h"

namespace flamegate {

/// Reads what an object that is not loaded yet has for knobs, its only variable of .rodata. Where they are to
/// be written; null, if it is of another version: having checked that, nothing else of it needs to be.
template <typename Knobs>
void* ReadKnobs(bpf_object* object, Knobs& knobs, uint32_t version, Failure& failure) {
  size_t size = 0;
  bpf_map* map = bpf_object__find_map_by_name(object, ".rodata");
  void* initial = map == nullptr ? nullptr : const_cast<void*>(bpf_map__initial_value(map, &size));
  if (initial != nullptr && size == sizeof(knobs)) memcpy(&knobs, initial, sizeof(knobs));
  if (knobs.abi_version == version) return initial;
  failure = {"BPF_OBJECT_INVALID", "the BPF object is not of this addon's version", EINVAL, {}};
  return nullptr;
}

}  // namespace flamegate
