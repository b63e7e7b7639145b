#pragma once
#include <napi.h>

#include "failure.h"

namespace flamegate {

/// Leaves an exception pending, of which src/native makes a sentence.
void Throw(Napi::Env env, const Failure& failure);

}  // namespace flamegate
