#pragma once
/// From a node to others of its tree, by what an expression's path says. It cannot fail, and computes nothing. Private to this
/// folder: navigate.cpp, and hl7v2_view.cpp for the names of the HL7 v2 object model.
#include "fhirpath/ast.h"

namespace porta::fhirpath {

class Navigator {
public:
    Navigator(const Ast& ast, const formats::NodeTree& tree) : ast_(ast), tree_(tree) {}
    /// Step by step from a node on: all that most expressions are.
    void follow(const Path& path, formats::NodeId start, Collection& out) const;
    /// The type of a node as the model has it, or null: no FHIR, an unknown resource or element.
    const Model::Type* modelType(formats::NodeId node) const;

protected:
    using NodeId = formats::NodeId;
    using Nodes = SmallVector<NodeId, 16>;
    void members(NodeId of, const formats::Name& name, Nodes& out) const;
    void choices(NodeId of, std::string_view name, Nodes& out) const;
    bool isChoice(NodeId of, std::string_view name) const;
    NodeId companion(NodeId primitive) const;
    /// The next child of that name from `c` on. An explicit null is a value in HL7 v2 only.
    NodeId nextNamed(NodeId c, const formats::Name& name) const {
        const bool nulls = tree_.dialect() == formats::Dialect::hl7v2;
        while (c != formats::kNoNode && !(tree_.named(c, name) && (nulls || tree_[c].kind != formats::NodeKind::null)))
            c = tree_[c].next_sibling;
        return c;
    }
    void followV2(const Path& path, std::size_t step, NodeId start, Collection& out) const;
    void followAll(const Path& path, std::size_t step, NodeId start, Collection& out) const;
    static void put(const Nodes& nodes, Collection& out);
    void children(NodeId of, Collection& out) const;
    NodeId resourceOf(NodeId node) const;
    bool named(const AstNode& n, NodeId node) const;
    bool v2Member(NodeId of, std::string_view name, Collection& out) const;
    void v2Numbered(NodeId of, std::string_view list, std::int64_t number, Collection& out) const;

    const Ast& ast_;
    const formats::NodeTree& tree_;
};

}  // namespace porta::fhirpath
