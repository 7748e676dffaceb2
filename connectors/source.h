#pragma once
/// The two shapes of a source, at the head of the line: connect asks a PullSource what there is, and a PushSource is told.
/// Both hand over whole objects and learn what became of each; *durable* is the only good answer, never *mapped*.
///
///     while (auto object = *source.poll())
///         if (store(object->bytes)) source.commit(*object);
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace porta::connectors {

/// One thing as it arrived, with the name under which its source knows it.
struct Object {
    std::string path;
    std::string bytes;
};

/// Looked at in passes. One object is in hand at a time: it is committed or refused before the next is asked for.
class PullSource {
public:
    virtual ~PullSource() = default;

    /// Shape:   the next object that is complete and not known unchanged, in the source's own order; nothing when the pass
    ///          is over, and the next call begins another. An object in hand without an answer, and an `unavailable`,
    ///          end the pass too, so that nothing overtakes what has to be tried again.
    /// Errors:  unavailable (try again later); any other concerns one object, which counts as refused: ask for the next.
    /// Threads: one caller at a time, as for the others.
    virtual Result<std::optional<Object>> poll() = 0;

    /// The object in hand is durable: the source keeps, moves or deletes it, and does not offer it again unchanged.
    /// Only `path` is looked at. Errors: unavailable; the object is offered again in the next pass.
    virtual Result<void> commit(const Object& object) = 0;

    /// The object in hand will not be taken: it stays where it is, and is offered again only when it has changed.
    virtual void refuse(const Object& object) = 0;
};

/// What a sender is told of one delivery.
struct Reply {
    enum class Kind { durable, refused, busy };
    Kind kind = Kind::busy;
    std::int64_t raw_records = 0;  ///< durable: how many the object brought; 0: known already
    Error error = {};              ///< refused: why; sending it again helps only for `unavailable`

    static Reply durable(std::int64_t raw_records) { return {Kind::durable, raw_records, {}}; }
    static Reply refused(Error why) { return {Kind::refused, 0, std::move(why)}; }
    static Reply busy() { return {}; }  ///< nothing was looked at; come again
};

/// Senders come by themselves, several at once.
class PushSource {
public:
    virtual ~PushSource() = default;

    /// Whether this sender may push, asked before its bytes are read: strangers may not fill the memory. `token`: what the
    /// sender showed. Errors: not_found (no such source here), denied.
    virtual Result<void> admit(const std::string& source, const std::string& token) const = 0;

    /// One object of a sender that was admitted. The call returns when the reply is certain.
    /// Threads: any number of callers, as for `admit`; those that would wait too long are told `busy`.
    virtual Reply push(const std::string& source, std::string bytes) = 0;
};

}  // namespace porta::connectors
