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

constexpr const char* kChanging = "files.changing";

}  // namespace

FilesSource::FilesSource(FilesSettings settings) : settings_(std::move(settings)) {
    if (settings_.on_done.rfind("move:", 0) != 0) return;
    fs::path to = settings_.on_done.substr(5);
    std::error_code ignore;
    fs::path from = settings_.path;
    if (fs::is_regular_file(from, ignore)) from = from.parent_path();
    done_ = (from / to).lexically_normal().string();
    while (done_.size() > 1 && done_.back() == '/') done_.pop_back();
}

Result<std::optional<Object>> FilesSource::poll() {
    if (!in_hand_.empty()) pass_.clear();
    in_hand_.clear();
    if (pass_.empty()) {
        auto found = list();
        if (!found) return found.error();
        pass_ = std::move(*found);
        next_ = 0;
    }
    while (next_ < pass_.size()) {
        const std::string path = pass_[next_++];
        was_ = signatureOf(path);
        if (auto it = seen_.find(path); it != seen_.end() && it->second == was_) continue;
        auto bytes = readFile(path, settings_.max_object_bytes);
        if (bytes) {
            in_hand_ = path;
            return std::optional<Object>({path, std::move(*bytes)});
        }
        if (bytes.error().rule == kChanging) continue;
        if (bytes.error().code == Errc::unavailable) pass_.clear();
        else seen_[path] = was_;
        return bytes.error();
    }
    pass_.clear();
    return std::optional<Object>{};
}

Result<void> FilesSource::commit(const Object& object) {
    if (object.path != in_hand_) return fail(Errc::internal, "a file was committed that is not in hand", "files.order");
    if (auto r = finish(object.path); !r) return r;
    if (settings_.on_done == "keep") seen_[object.path] = was_;
    in_hand_.clear();
    return {};
}

void FilesSource::refuse(const Object& object) {
    if (object.path != in_hand_) return;
    seen_[object.path] = was_;
    in_hand_.clear();
}

Result<std::vector<std::string>> FilesSource::list() const {
    std::vector<std::string> found;
    std::error_code error;
    if (fs::is_regular_file(settings_.path, error)) return std::vector<std::string>{settings_.path};
    if (!fs::exists(settings_.path, error)) return found;
    fs::recursive_directory_iterator it(settings_.path, fs::directory_options::skip_permission_denied, error), end;
    for (; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        const std::string path = it->path().lexically_normal().string();
        std::error_code ignore;
        if (path == done_) it.disable_recursion_pending();
        else if (!unfinished(name) && it->is_regular_file(ignore) && matches(settings_.pattern, name))
            found.push_back(path);
    }
    if (error)
        return fail(Errc::unavailable,
                    "the source's directory cannot be read: " + error.message() + "; check `files.path`", "files.list");
    std::sort(found.begin(), found.end());
    return found;
}

Result<void> FilesSource::finish(const std::string& path) const {
    std::error_code error;
    if (settings_.on_done == "delete") fs::remove(path, error);
    else if (!done_.empty()) {
        fs::create_directories(done_, error);
        if (!error) fs::rename(path, fs::path(done_) / fs::path(path).filename(), error);
    }
    if (error)
        return fail(Errc::unavailable, "a finished file cannot be moved or deleted: " + error.message(),
                    "files.finish");
    return {};
}

FilesSource::Signature FilesSource::signatureOf(const std::string& path) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return {};
    return {st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec, static_cast<std::int64_t>(st.st_ino)};
}

Result<std::string> readFile(const std::string& path, std::uint64_t max_bytes) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(Errc::unavailable, "a file cannot be opened; check its permissions", "files.open");
    struct stat before {
    }, after{};
    std::string bytes;
    bool good = ::fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
    if (good && static_cast<std::uint64_t>(before.st_size) > max_bytes) {
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
    if (!same(before, after))
        return fail(Errc::unavailable, "a file changed while it was read; try again when it is complete", kChanging);
    return bytes;
}

}  // namespace porta::connectors
