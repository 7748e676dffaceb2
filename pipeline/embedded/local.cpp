#include "pipeline/embedded/local.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/date_time.h"
#include "base/hash.h"
#include "pipeline/embedded/sqlite_store.h"

namespace porta::pipeline {

namespace {

/// A wrapped key: nonce (12) + AES-256-GCM of the key (32) + tag (16).
constexpr std::size_t kWrapped = 60;

class LocalKeys : public Keys {
public:
    LocalKeys(std::unique_ptr<Store> store, const Key& master)
        : store_(std::move(store)),
          wrapping_(deriveKey(master, "porta wrap 1")),
          index_(deriveKey(master, "porta index 1")) {}

    std::vector<Key> create(const std::vector<std::int64_t>& numbers) override {
        std::vector<Key> keys(numbers.size());
        auto done = store_->transact([&] {
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                keys[i] = randomKey();
                Nonce nonce;
                randomBytes(nonce.data(), nonce.size());
                std::string wrapped(reinterpret_cast<const char*>(nonce.data()), nonce.size());
                wrapped += sealBox(wrapping_, nonce,
                                   std::string_view(reinterpret_cast<const char*>(keys[i].data()), keys[i].size()));
                store_->run(
                    "INSERT INTO wrapped(no, key) VALUES(?1, ?2) ON CONFLICT(no) DO UPDATE SET key = excluded.key",
                    {numbers[i], Blob{std::move(wrapped)}});
            }
        });
        if (!done) throw Failure{done.error()};
        return keys;
    }

    Result<Key> find(std::int64_t number) override {
        std::string wrapped;
        try {
            store_->query("SELECT key FROM wrapped WHERE no = ?1", {number},
                          [&](const Row& r) { wrapped = r.bytes(0); });
        } catch (const Failure& f) {
            return f.error;
        }
        if (wrapped.size() != kWrapped)
            return fail(Errc::not_found,
                        "no key for this record: erased, or the key store is not the one of this store",
                        "keys.missing");
        Nonce nonce;
        std::memcpy(nonce.data(), wrapped.data(), nonce.size());
        auto plain = openBox(wrapping_, nonce, std::string_view(wrapped).substr(nonce.size()));
        if (!plain)
            return fail(Errc::misconfigured,
                        "the key file does not open this key store; give the key file that belongs to it", "keys.file");
        Key key;
        std::memcpy(key.data(), plain->data(), key.size());
        return key;
    }
    const Key& indexKey() const override { return index_; }

private:
    std::unique_ptr<Store> store_;
    Key wrapping_, index_;
};

class FileLock : public Lease {
public:
    explicit FileLock(int fd) : fd_(fd) {}
    ~FileLock() override { ::close(fd_); }

private:
    int fd_;
};

class SystemClock : public Clock {
public:
    explicit SystemClock(std::int64_t fixed) : fixed_(fixed) {}
    std::int64_t now() const override {
        if (fixed_) return fixed_;
        return std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    }

private:
    std::int64_t fixed_;
};

}  // namespace

Result<Key> loadKeyFile(const std::string& path, bool may_create) {
    std::ifstream in(path);
    std::string text;
    if (in && std::getline(in, text)) {
        Key key;
        auto digit = [](char c) {
            return c >= '0' && c <= '9'   ? c - '0'
                   : c >= 'a' && c <= 'f' ? c - 'a' + 10
                   : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                          : -1;
        };
        if (text.size() != 64)
            return fail(Errc::misconfigured, path + ": 64 hexadecimal digits are expected", "keys.file");
        for (std::size_t i = 0; i < 32; ++i) {
            int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
            if (high < 0 || low < 0)
                return fail(Errc::misconfigured, path + ": 64 hexadecimal digits are expected", "keys.file");
            key[i] = static_cast<std::uint8_t>(high * 16 + low);
        }
        return key;
    }
    if (!may_create)
        return fail(Errc::misconfigured,
                    path +
                        ": the key file is missing, and the key store is not empty; put back the key file that belongs "
                        "to this store",
                    "keys.file");
    std::error_code ignore;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignore);
    int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(Errc::misconfigured, path + ": the key file cannot be created; check the directory's permissions",
                    "keys.file");
    Key key = randomKey();
    std::string line = hex(key.data(), key.size()) + "\n";
    bool good = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
    ::close(fd);
    if (!good) return fail(Errc::misconfigured, path + ": the key file cannot be written", "keys.file");
    return key;
}

Result<std::unique_ptr<Keys>> openKeys(const std::string& directory, const std::string& key_file, bool read_only) {
    auto store = openSqlite(directory + "/keys.db", read_only);
    if (!store) return store.error();
    bool empty = true;
    try {
        if (!read_only) (*store)->run("CREATE TABLE IF NOT EXISTS wrapped(no INTEGER PRIMARY KEY, key BLOB NOT NULL)");
        (*store)->query("SELECT 1 FROM wrapped LIMIT 1", {}, [&](const Row&) { empty = false; });
    } catch (const Failure& f) {
        return f.error;
    }
    auto master = loadKeyFile(key_file, empty && !read_only);
    if (!master) return master.error();
    return std::unique_ptr<Keys>(new LocalKeys(std::move(*store), *master));
}

Result<std::unique_ptr<Lease>> lockState(const std::string& directory) {
    int fd = ::open((directory + "/owner.lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) return fail(Errc::misconfigured, directory + ": the state directory cannot be written", "state");
    // A process that was killed lets go of the lock a moment after its parent has seen it die: wait a little.
    for (int i = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++i) {
        if (i == 100) {
            ::close(fd);
            return fail(Errc::unavailable, "another process owns this store; stop it or let it do the work",
                        "state.locked");
        }
        ::usleep(20000);
    }
    return std::unique_ptr<Lease>(new FileLock(fd));
}

std::unique_ptr<Clock> systemClock(bool testing) {
    std::int64_t fixed = 0;
    if (const char* text = testing ? std::getenv("PORTA_CLOCK") : nullptr)
        if (auto parsed = parseIso(text))
            if (auto at = firstInstant(*parsed)) fixed = *at;
    return std::make_unique<SystemClock>(fixed);
}

}  // namespace porta::pipeline
