#pragma once
/// Who looks on while a record is mapped: coverage, mutants and explanations; nobody in production. Private to
/// mapping/engine.
///
///     Coverage seen;
///     Watching watching(seen);      // this thread's records, until the end of the scope
///     program->map(format, input, tree);
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fhirpath/expression.h"
#include "formats/node.h"
#include "schemas/operation.h"

namespace porta::mapping {

struct Row;
struct Table;
struct Choice;

/// Expressions and rows are named by their address in the program, which must outlive the probe's answers.
class Probe {
public:
    virtual ~Probe() = default;
    virtual void rule(std::uint32_t) {}
    virtual void row(const Row&) {}
    /// What a table chose for a code; no row where the code is kept.
    virtual void translated(const Table&, const Choice&, std::string_view /*code*/) {}
    /// A code without a row, which its field or record is refused for.
    virtual void untranslated(const Table&, std::string_view /*code*/) {}
    /// `found`: something that says something stood there.
    virtual void evaluated(const fhirpath::Expression&, formats::NodeId, bool /*found*/) {}
    virtual void decided(const fhirpath::Expression&, formats::NodeId, bool /*holds*/) {}

    // What the leaves made in between depend on, beside their own expression:
    virtual void enter(const fhirpath::Expression&, formats::NodeId) {}
    /// Everything evaluated since `mark`, up to now: an item's place in its list depends on the items before it.
    virtual void enterSince(std::size_t /*mark*/) {}
    virtual void leave() {}
    virtual std::size_t mark() const { return 0; }

    virtual void operation(std::uint32_t /*rule*/) {}
    /// The leaves from `first` on came from this expression; null: from nulls that were found since `mark`.
    virtual void made(const schemas::Operation&, std::size_t /*first*/, const fhirpath::Expression*, formats::NodeId) {}
};

/// The probe of the calling thread's records, one at a time.
class Watching {
public:
    explicit Watching(Probe& probe);
    Watching(const Watching&) = delete;
    ~Watching();
};

/// What the leaves made in its scope depend on.
class Depends {
public:
    Depends(Probe* probe, const fhirpath::Expression& e, formats::NodeId context) : probe_(probe) {
        if (probe_) probe_->enter(e, context);
    }
    Depends(Probe* probe, std::size_t mark) : probe_(probe) {
        if (probe_) probe_->enterSince(mark);
    }
    Depends(const Depends&) = delete;
    ~Depends() {
        if (probe_) probe_->leave();
    }

private:
    Probe* probe_;
};

}  // namespace porta::mapping
