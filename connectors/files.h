#pragma once
/// Files of a directory as a source that is pulled: one file is one object. Names that begin with a dot or end in .tmp or
/// .part are left alone, and so is a file that changes while it is read.
///
///     FilesSource source({.path = "/feeds/hospital", .pattern = "*.hl7"});
///     while (auto object = *source.poll()) …
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connectors/source.h"

namespace porta::connectors {

struct FilesSettings {
    std::string path;           ///< a directory (searched with its sub-directories) or one file
    std::string pattern = "*";  ///< shell wildcards on the name, several separated by blanks
    std::string on_done =
        "keep";  ///< or delete, or move:DIR; DIR counts from `path`, and what lies in it is not offered
    std::uint64_t max_object_bytes = 1ull << 30;
};

/// Order:  that of the absolute paths. A directory that does not exist is empty.
/// Errors: unavailable (directory or file cannot be read), exhausted (a file larger than the limit: refused).
/// Memory: which files were taken or refused, by size, time and inode, so that what has not changed is not read again.
class FilesSource : public PullSource {
public:
    explicit FilesSource(FilesSettings settings);
    Result<std::optional<Object>> poll() override;
    Result<void> commit(const Object& object) override;
    void refuse(const Object& object) override;

private:
    /// Size, seconds, nanoseconds, inode.
    using Signature = std::array<std::int64_t, 4>;
    static Signature signatureOf(const std::string& path);

    Result<std::vector<std::string>> list() const;
    Result<void> finish(const std::string& path) const;

    FilesSettings settings_;
    std::string done_;  ///< where finished files go; empty: nowhere
    std::vector<std::string> pass_;
    std::size_t next_ = 0;  ///< in pass_; a pass that is over is empty
    std::string in_hand_;
    Signature was_{};  ///< what the file in hand was before it was read
    std::map<std::string, Signature> seen_;
};

/// One file, completely; for a path that somebody names, so its name does not matter.
/// Errors: unavailable (cannot be read, or changed while it was read), exhausted (larger than the limit).
Result<std::string> readFile(const std::string& path, std::uint64_t max_bytes);

}  // namespace porta::connectors
