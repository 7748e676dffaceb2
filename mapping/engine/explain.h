#pragma once
/// One raw record beside its bytes: each field with the rule that made it and the bytes that it came from, and the bytes that
/// no rule has read. `porta map explain` and `porta map unread` show it.
///
///     Explainer explainer(*program);
///     Explanation e = explainer.explain(program->format(), input);
///     for (const ExplainedField& f : e.fields) …
#include <map>
#include <memory>

#include "formats/node.h"
#include "mapping/engine/lineage.h"

namespace porta::mapping {

/// A stretch of the raw record that a field depends on.
struct FieldSource {
    std::string path;  ///< in the record, with the index of a repeated part: `PID.f5[1].c2`
    formats::Span span;
    Influence influence = Influence::identity;
    std::string decoded;
};

struct ExplainedField {
    std::size_t operation = 0;  ///< into the outcome's
    std::size_t leaf = 0;       ///< into the operation's
    std::vector<FieldSource>
        sources;  ///< DIRECT before INDIRECT, each in the order of the bytes; a stretch stands once
};

/// A leaf of the record that no rule has read, nor a condition.
struct Unread {
    std::string path;  ///< without indexes
    formats::Span span;
};

struct Explanation {
    Outcome outcome;
    std::vector<ExplainedField> fields;  ///< of published records, in the order of operations and leaves
    std::vector<Unread> unread;
};

/// What changes when content outside of a field's sources changes is never that field: conditions count with everything that
/// they may look at, and an item of a list depends on whether the items before it say something.
/// Owner: the program outlives it; texts of an explanation are its own. Threads: one at a time.
class Explainer {
public:
    explicit Explainer(const Program& program);
    ~Explainer();
    Explanation explain(const formats::Settings& format, const Input& input);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace porta::mapping
