// Loaded before porta (LD_PRELOAD), it writes every effect on files below one directory into a journal, in their order: names
// made and taken away, bytes written, lengths cut, syncs of files and of directories. It stands below SQLite's own VFS, so that
// also what that VFS does for directories, and what no SQLite writes (key file, moved input files), is seen; porta itself is
// the same binary that is shipped. `journal.py` reads the journal.
//
// PORTA_RECORD=JOURNAL, PORTA_RECORD_ROOT=DIRECTORY; negative controls: PORTA_RECORD_FAULT=synchronous-off (SQLite is told so
// in place of FULL) or directory-sync-off (no directory sync happens).
#include <dlfcn.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>

namespace {

template <class F>
F real(F, const char* name) {
    return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}
#define REAL(name) static const auto next = real(&::name, #name)

struct Open {
    std::uint64_t inode = 0;
    std::string directory;  ///< its path, when it is one
    bool append = false;
};

struct Recorder {
    std::string root, fault;
    int journal = -1;
    std::recursive_mutex one;
    std::map<int, Open> open;

    Recorder() {
        const char *to = std::getenv("PORTA_RECORD"), *below = std::getenv("PORTA_RECORD_ROOT");
        if (!to || !below) return;
        root = std::string(below) + "/";
        if (const char* f = std::getenv("PORTA_RECORD_FAULT")) fault = f;
        journal = real(&::open64, "open64")(to, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (journal < 0) std::abort();
    }
};

/// Never destroyed: files are closed after static objects are gone.
Recorder& recorder() {
    static Recorder* const r = new Recorder;
    return *r;
}

/// The absolute path when it lies below the root and is kept; what is mapped into memory (-shm) is no file to SQLite.
std::string kept(const char* path) {
    Recorder& r = recorder();
    if (r.journal < 0 || !path) return {};
    std::string full = std::filesystem::absolute(path).lexically_normal().string();
    if ((full + "/").rfind(r.root, 0) != 0 || full.ends_with("-shm")) return {};
    return full;
}

/// An effect and its entry are one step, among threads and among processes.
class Step {
public:
    Step() : lock_(recorder().one) {
        if (recorder().journal >= 0) ::flock(recorder().journal, LOCK_EX);
    }
    ~Step() {
        if (recorder().journal >= 0) ::flock(recorder().journal, LOCK_UN);
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

private:
    std::lock_guard<std::recursive_mutex> lock_;
};

void note(char kind, std::uint64_t inode, std::uint64_t at, const void* data, std::size_t size) {
    char head[24] = {kind};
    const std::uint32_t length = static_cast<std::uint32_t>(size);
    std::memcpy(head + 4, &length, 4);
    std::memcpy(head + 8, &inode, 8);
    std::memcpy(head + 16, &at, 8);
    iovec parts[2] = {{head, sizeof head}, {const_cast<void*>(data), size}};
    static const auto next = real(&::writev, "writev");
    if (next(recorder().journal, parts, 2) != static_cast<ssize_t>(sizeof head + size)) std::abort();
}

void note(char kind, std::uint64_t inode, const std::string& text) { note(kind, inode, 0, text.data(), text.size()); }

const Open* known(int fd) {
    auto it = recorder().open.find(fd);
    return it == recorder().open.end() ? nullptr : &it->second;
}

/// Sockets and pipes may block: nobody waits for them inside of a step.
bool tracked(int fd) {
    std::lock_guard lock(recorder().one);
    return known(fd);
}

int opened(const char* path, int flags, int fd, bool existed) {
    const std::string full = kept(path);
    struct stat64 s {};
    if (fd < 0 || full.empty() || ::fstat64(fd, &s) != 0) return fd;
    Open o;
    o.inode = s.st_ino;
    o.append = (flags & O_APPEND) != 0;
    if (S_ISDIR(s.st_mode)) o.directory = full;
    else if (!existed) note('C', o.inode, full);
    else if (flags & O_TRUNC) note('T', o.inode, 0, nullptr, 0);
    recorder().open[fd] = o;
    return fd;
}

template <class F>
int openAny(F next, const char* path, int flags, mode_t mode) {
    Step step;
    struct stat64 s;
    const bool existed = ::stat64(path, &s) == 0;
    return opened(path, flags, next(path, flags, mode), existed);
}

ssize_t written(int fd, off64_t at, const void* data, ssize_t done) {
    if (const Open* o = known(fd); o && done > 0)
        note('W', o->inode, static_cast<std::uint64_t>(at), data, static_cast<std::size_t>(done));
    return done;
}

off64_t place(int fd) {
    const Open* o = known(fd);
    return o ? ::lseek64(fd, 0, o->append ? SEEK_END : SEEK_CUR) : 0;
}

template <class F>
int synced(F next, int fd) {
    Step step;
    const Open* o = known(fd);
    if (o && !o->directory.empty() && recorder().fault == "directory-sync-off") return 0;
    const int code = next(fd);
    if (o && code == 0) {
        if (o->directory.empty()) note('S', o->inode, "");
        else note('D', 0, o->directory);
    }
    return code;
}

template <class F>
int cut(F next, int fd, off64_t size) {
    Step step;
    const int code = next(fd, size);
    if (const Open* o = known(fd); o && code == 0) note('T', o->inode, static_cast<std::uint64_t>(size), nullptr, 0);
    return code;
}

/// U: a name is gone; M: a directory is made; R: a name became another; L: a file has another name as well.
template <class F>
int named(char kind, F effect, const char* path, const char* other = nullptr) {
    Step step;
    const int code = effect();
    std::string text = kept(path);
    if (other) text += std::string(1, '\0') + kept(other);
    if (code == 0 && text.size() > (other ? 1 : 0)) note(kind, 0, text);
    return code;
}

mode_t modeOf(int flags, std::va_list more) { return flags & O_CREAT ? static_cast<mode_t>(va_arg(more, int)) : 0; }

#define MODE                           \
    std::va_list more;                 \
    va_start(more, flags);             \
    mode_t mode = modeOf(flags, more); \
    va_end(more)

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    REAL(open);
    MODE;
    return openAny(next, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    REAL(open64);
    MODE;
    return openAny(next, path, flags, mode);
}
FILE* fopen(const char* path, const char* how) {
    REAL(fopen);
    Step step;
    struct stat64 s;
    const bool existed = ::stat64(path, &s) == 0;
    FILE* file = next(path, how);
    if (file) opened(path, how[0] == 'w' ? O_TRUNC : how[0] == 'a' ? O_APPEND : 0, ::fileno(file), existed);
    return file;
}
FILE* fopen64(const char* path, const char* how) { return fopen(path, how); }
int mkostemp(char* pattern, int flags) {
    REAL(mkostemp);
    Step step;
    const int fd = next(pattern, flags);
    return opened(pattern, flags, fd, false);
}
int close(int fd) {
    REAL(close);
    Step step;
    recorder().open.erase(fd);
    return next(fd);
}
ssize_t write(int fd, const void* data, size_t size) {
    REAL(write);
    if (!tracked(fd)) return next(fd, data, size);
    Step step;
    const off64_t at = place(fd);
    return written(fd, at, data, next(fd, data, size));
}
ssize_t writev(int fd, const iovec* parts, int count) {
    REAL(writev);
    if (!tracked(fd)) return next(fd, parts, count);
    Step step;
    const off64_t at = place(fd);
    const ssize_t done = next(fd, parts, count);
    std::string all;
    for (int i = 0; i < count; ++i) all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    return written(fd, at, all.data(), done);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t at) {
    REAL(pwrite);
    Step step;
    return written(fd, at, data, next(fd, data, size, at));
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t at) {
    REAL(pwrite64);
    Step step;
    return written(fd, at, data, next(fd, data, size, at));
}
int ftruncate(int fd, off_t size) noexcept {
    REAL(ftruncate);
    return cut(next, fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
    REAL(ftruncate64);
    return cut(next, fd, size);
}
int fsync(int fd) {
    REAL(fsync);
    return synced(next, fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    return synced(next, fd);
}
int unlink(const char* path) noexcept {
    REAL(unlink);
    return named(
        'U', [&] { return next(path); }, path);
}
int remove(const char* path) noexcept {
    REAL(remove);
    return named(
        'U', [&] { return next(path); }, path);
}
int rename(const char* from, const char* to) noexcept {
    REAL(rename);
    return named(
        'R', [&] { return next(from, to); }, from, to);
}
int link(const char* from, const char* to) noexcept {
    REAL(link);
    return named(
        'L', [&] { return next(from, to); }, from, to);
}
int mkdir(const char* path, mode_t mode) noexcept {
    REAL(mkdir);
    return named(
        'M', [&] { return next(path, mode); }, path);
}
int sqlite3_prepare_v3(sqlite3* db, const char* sql, int size, unsigned flags, sqlite3_stmt** statement,
                       const char** rest) {
    REAL(sqlite3_prepare_v3);
    if (recorder().fault == "synchronous-off" && std::strcmp(sql, "PRAGMA synchronous=FULL") == 0) {
        sql = "PRAGMA synchronous=OFF";
        size = -1;
    }
    return next(db, sql, size, flags, statement, rest);
}

}  // extern "C"
