#pragma once
/// Files of a directory as a source that is polled: one file is one object. Names that begin with a dot or end in .tmp or
/// .part are left alone, and so is a file that changes while it is read.
///
///     FilesSource source("/feeds/hospital", "*.hl7", 1 << 30);
///     for (const std::string& path : *source.list()) if (auto bytes = source.read(path); bytes && *bytes) …
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace porta::connectors {

class FilesSource {
public:
    /// `path`: a directory (searched with its sub-directories) or one file. `pattern`: shell
    /// wildcards on the name, several separated by blanks.
    FilesSource(std::string path, std::string pattern, std::uint64_t max_object_bytes)
        : path_(std::move(path)), pattern_(std::move(pattern)), max_object_bytes_(max_object_bytes) {}

    /// Absolute paths in the order of their names. Errors: unavailable when the directory cannot be read; a directory
    /// that does not exist is empty.
    Result<std::vector<std::string>> list() const;
    /// The whole file, or nothing when it is still being written. Errors: unavailable, exhausted (larger than the limit).
    Result<std::optional<std::string>> read(const std::string& path) const;
    /// What `on_done` says (keep, move:DIR, delete), once the object is durable. Errors: unavailable.
    Result<void> finish(const std::string& path, const std::string& on_done) const;

private:
    std::string path_, pattern_;
    std::uint64_t max_object_bytes_;
};

/// Files that were taken already, by size, time and inode: what has not changed need not be read again to know that.
class Seen {
public:
    using Signature = std::array<std::int64_t, 4>;
    static Signature of(const std::string& path);
    bool unchanged(const std::string& path) const;
    /// `was`: what the file was before it was read.
    void remember(const std::string& path, const Signature& was) { files_[path] = was; }

private:
    std::map<std::string, Signature> files_;
};

}  // namespace porta::connectors
