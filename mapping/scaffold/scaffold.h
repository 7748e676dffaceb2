#pragma once
/// `porta map new`: a configuration directory from a sample, a JSON Schema or an XSD, that runs as it is. Everything that
/// it says is a guess and is marked as one; no value of the sample stands in it but the words of short code lists.
///
///     Scaffold s = …scaffold(path, bytes, {});
///     for (const auto& [name, text] : s->files) write(directory / name, text);
#include <map>
#include <string>

#include "mapping/scaffold/guess.h"

namespace porta::mapping {

struct Scaffold {
    std::string id;                            ///< of the source and the mapping
    std::map<std::string, std::string> files;  ///< by their paths in the directory
    std::string mapping;                       ///< the path of the one that is ours, or "" where the library's is used
    formats::Settings format;
    std::size_t records = 0, broken = 0, fields = 0, used = 0;
};

/// `path`: where the sample lies, absolute; its directory becomes that of the source's files. `id`: empty: the file's name.
/// Errors: as of readSample.
Result<Scaffold> scaffold(const std::string& path, std::string_view bytes, const Hints& hints, std::string id = {});

/// The mapping's text (write.cpp).
std::string mappingText(const std::string& id, const Sample& sample, const Guess& guess);
/// A text as YAML reads it back, in quotes where it must.
std::string quotedText(std::string_view text);

}  // namespace porta::mapping
