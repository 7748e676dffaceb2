// Any bytes decode to operations that encode and decode again, or are refused.
#include <cstdlib>

#include "schemas/operation.h"

using namespace porta::schemas;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto operations = decode(std::string_view(reinterpret_cast<const char*>(data), size));
    if (operations && !decode(encode(*operations))) std::abort();
    return 0;
}
