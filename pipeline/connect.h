#pragma once
/// connect: bytes become an object with a number, and raw records sealed under keys of their own. The object is registered
/// before anything of it goes on, so that `received` is exact from then on and a restart gives the same numbers again.
///
///     auto delivery = connect.accept(source, path, bytes, pulled);      // nothing: known already
///     for (RawMessage& m : connect.seal(*delivery, 0, delivery->n())) …
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "config/settings.h"
#include "connectors/source.h"
#include "formats/format.h"
#include "pipeline/messages.h"
#include "pipeline/records.h"
#include "pipeline/sources.h"

namespace porta::pipeline {

/// An object on its way: registered, its bytes in memory after transport layers.
struct Delivery {
    ObjectRow row;
    ObjectMeta meta;
    std::string bytes;
    formats::Units units;
};

/// One object as it arrived.
struct Arrival {
    std::string path, bytes;
    std::string archive = {};  ///< of an entry: the archive's path, behind which its own goes on
};
/// What arrived as it is, or each file of a ZIP archive where the source opens such (`files.compression: auto`).
/// Errors: those of `formats::unzip`; then nothing of the archive is taken.
Result<std::vector<Arrival>> arrivalsOf(const Source& source, const std::string& path, std::string bytes);

class Connect {
public:
    Connect(Store& store, Keys& keys, Clock& clock);

    /// Shape:  the object to go on with: a new one, or one whose raw records are not all in the log yet; nothing when there
    ///         is nothing to do (a known object of a pull pass, or a duplicate, which is counted).
    ///         `pulled`: a pull pass found it; otherwise it was given by path or pushed, and counts again.
    /// Errors: malformed (no object time), exhausted (larger than the limit after unpacking), unavailable.
    Result<std::optional<Delivery>> accept(const Source& source, Arrival arrival, bool pulled);
    /// Raw records [from, to) of the object; an object without any gives one marker. Keys are durable on return.
    /// Throws Failure. Threads: asks no store but the keys, so it may run beside one that uses the store.
    std::vector<RawMessage> seal(const Delivery& delivery, std::int64_t from, std::int64_t to);

private:
    void registerObject(const Source& source, Delivery& delivery, std::int64_t identity, std::int64_t path_hash,
                        const ObjectRow* first, const std::vector<ObjectRow>& same_path);

    Store& store_;
    Keys& keys_;
    Clock& clock_;
    KeyedHash hash_;
};

/// By source id; they remember what they offered, so they live as long as the one who pulls.
using PullSources = std::map<std::string, std::unique_ptr<connectors::PullSource>>;
/// Those of the sources that are pulled.
PullSources pullSources(const config::Settings& settings);

/// One pass: each object is delivered and then committed. One that is refused (not: unavailable) is told to `refused` and
/// stays in its place; it stops neither the others nor the pass. Errors: unavailable, which ends the pass.
Result<void> pull(connectors::PullSource& source,
                  const std::function<Result<void>(connectors::Object& object)>& deliver,
                  const std::function<void(const Error&)>& refused);

/// The key of the hashes in indexes, as KeyedHash takes it.
KeyedHash indexHash(const Keys& keys);

}  // namespace porta::pipeline
