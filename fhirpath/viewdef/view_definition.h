#pragma once
/// SQL on FHIR v2: a ViewDefinition turns resources into the rows of a table. Compiled once; rows are computed one resource at
/// a time, with the same engine as everything else here.
///
///     auto view = fhirpath::ViewDefinition::compile(tree, tree.root());   // the view's JSON as a node tree
///     Arena arena;
///     std::vector<fhirpath::Row> rows;
///     view->rows(resource_tree, resource_tree.root(), arena, rows);
/// Source: SQL on FHIR 2.1 (StructureDefinition ViewDefinition, its notes, "Processing Algorithm").
#include <memory>
#include <string>
#include <vector>

#include "fhirpath/expression.h"

namespace porta::fhirpath {

struct ViewColumn {
    std::string name;
    std::string type;  ///< FHIR type as declared, or ""
    bool collection = false;
};

/// One cell for each column, in the view's order; an empty one is null.
/// Owner: nobody; values view the resource's tree, the view and the arena.
using Row = std::vector<Collection>;

class ViewDefinition {
public:
    /// `options`: release and limits of the expressions. `strict`: paths are held against the model of `resource`.
    /// Errors: misconfigured, naming the element (`select[0].column[1].path`) and the rule: a missing or unknown element, an
    /// expression that does not compile, a constant that is not defined, a column twice, branches of unionAll that differ.
    static Result<ViewDefinition> compile(const formats::NodeTree& tree, formats::NodeId view, Options options = {},
                                          bool strict = false);
    const std::vector<ViewColumn>& columns() const;
    const std::string& name() const;
    const std::string& resource() const;

    /// Appends the rows of one resource: none for a resource of another type or one that `where` leaves out. One of Porta's
    /// own records is of the type that its `entity` names.
    /// Errors: malformed: several values in a column that is no collection, a `where` that gives no boolean.
    Result<void> rows(const formats::NodeTree& tree, formats::NodeId resource, Arena& arena,
                      std::vector<Row>& out) const;

    struct Impl;

private:
    std::shared_ptr<const Impl> impl_;
};

/// A row as one JSON object, and as one line of CSV (RFC 4180; null is empty, a collection is JSON text).
std::string rowJson(const std::vector<ViewColumn>& columns, const Row& row, const formats::NodeTree& tree);
std::string rowCsv(const std::vector<ViewColumn>& columns, const Row& row, const formats::NodeTree& tree);
std::string headerCsv(const std::vector<ViewColumn>& columns);

}  // namespace porta::fhirpath
