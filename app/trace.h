#pragma once
/// What a trace asks of the store, for `audit trace` and `why`.
#include "lineage/trace.h"
#include "pipeline/read.h"

namespace porta::app {

/// Owner: the reader must outlive it. Its callbacks throw Failure.
lineage::Lookup lookupIn(pipeline::Reader& reader);

}  // namespace porta::app
