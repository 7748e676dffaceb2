#include "connectors/files.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace porta::connectors {

namespace fs = std::filesystem;

namespace {

bool unfinished(const std::string& name) {
    return name.empty() || name[0] == '.' || name.ends_with(".tmp") || name.ends_with(".part");
}

/// One or more shell patterns, separated by blanks.
bool matches(const std::string& patterns, const std::string& name) {
    std::istringstream in(patterns);
    for (std::string pattern; in >> pattern;)
        if (::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) return true;
    return false;
}

bool same(const struct stat& a, const struct stat& b) {
    return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
           a.st_ino == b.st_ino;
}

}  // namespace

Result<std::vector<std::string>> FilesSource::list() const {
    std::vector<std::string> found;
    std::error_code error;
    if (fs::is_regular_file(path_, error)) return std::vector<std::string>{path_};
    if (!fs::exists(path_, error)) return found;
    fs::recursive_directory_iterator it(path_, fs::directory_options::skip_permission_denied, error), end;
    for (; !error && it != end; it.increment(error)) {
        std::string name = it->path().filename().string();
        std::error_code ignore;
        if (unfinished(name) || !it->is_regular_file(ignore) || !matches(pattern_, name)) continue;
        found.push_back(it->path().lexically_normal().string());
    }
    if (error)
        return fail(Errc::unavailable,
                    "the source's directory cannot be read: " + error.message() + "; check `files.path`", "files.list");
    std::sort(found.begin(), found.end());
    return found;
}

Result<std::optional<std::string>> FilesSource::read(const std::string& path) const {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(Errc::unavailable, "a file cannot be opened; check its permissions", "files.open");
    struct stat before {
    }, after{};
    std::string bytes;
    bool good = ::fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
    if (good && static_cast<std::uint64_t>(before.st_size) > max_object_bytes_) {
        ::close(fd);
        return fail(Errc::exhausted, "a file is larger than limits.max_object_bytes", "files.size");
    }
    if (good) {
        bytes.resize(static_cast<std::size_t>(before.st_size));
        std::size_t have = 0;
        while (have < bytes.size()) {
            ssize_t n = ::read(fd, bytes.data() + have, bytes.size() - have);
            if (n <= 0) break;
            have += static_cast<std::size_t>(n);
        }
        good = have == bytes.size() && ::stat(path.c_str(), &after) == 0;
    }
    ::close(fd);
    if (!good) return fail(Errc::unavailable, "a file cannot be read to its end", "files.read");
    if (!same(before, after)) return std::optional<std::string>{};
    return std::optional<std::string>(std::move(bytes));
}

Result<void> FilesSource::finish(const std::string& path, const std::string& on_done) const {
    std::error_code error;
    if (on_done == "delete") fs::remove(path, error);
    else if (on_done.rfind("move:", 0) == 0) {
        fs::path to = on_done.substr(5);
        if (to.is_relative()) to = fs::path(path_) / to;
        fs::create_directories(to, error);
        if (!error) fs::rename(path, to / fs::path(path).filename(), error);
    }
    if (error)
        return fail(Errc::unavailable, "a finished file cannot be moved or deleted: " + error.message(),
                    "files.finish");
    return {};
}

Seen::Signature Seen::of(const std::string& path) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return {};
    return {st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, static_cast<std::int64_t>(st.st_ino)};
}

bool Seen::unchanged(const std::string& path) const {
    auto it = files_.find(path);
    return it != files_.end() && it->second == of(path);
}

}  // namespace porta::connectors
