#pragma once
/// Guesses how a file that nobody has described is to be read, for `porta map new`. Never asked on the way of a record:
/// there a source declares what its files are.
///
///     Detected d = detect(bytes, "register.csv");
///     auto units = split(d.settings, bytes);
#include <string>
#include <string_view>

#include "formats/format.h"

namespace porta::formats {

struct Detected {
    Settings settings;
    bool xsd = false, json_schema = false;  ///< the file describes others
    double columns_agree = 1;               ///< csv: share of rows with as many cells as most have
};

/// By the beginning of the bytes, and the name's ending where they leave it open.
Detected detect(std::string_view bytes, std::string_view name);

/// An ICU name: by byte order mark, by zero bytes, as UTF-8 where it is that, else by the statistics of languages.
std::string detectEncoding(std::string_view bytes);

}  // namespace porta::formats
