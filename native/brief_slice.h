#pragma once

namespace flamegate {

/// Asks the scheduler to let the calling thread run soon after it was woken, in return for being interrupted
/// sooner: a short slice of its fair share, from kernel 6.12 on. Elsewhere nothing changes.
void PreferBriefSlices();

}  // namespace flamegate
