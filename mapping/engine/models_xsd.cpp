// A W3C XML Schema as a shape, read with our own XML reader. Names are compared without their prefix, as the reader gives
// them; what the schema leaves open (xs:any, a type of another document) stays open.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "formats/format.h"
#include "mapping/engine/models.h"

namespace porta::mapping {

using fhirpath::Leaf;
using fhirpath::PlaceId;
using fhirpath::Shape;
using formats::kNoNode;
using formats::NodeId;

namespace {

std::string localName(std::string_view qualified) {
    return std::string(qualified.substr(qualified.rfind(':') == std::string_view::npos ? 0 : qualified.rfind(':') + 1));
}

struct Document {
    std::string bytes;
    formats::NodeTree tree;
};

/// A component of a schema: where it stands.
struct At {
    const Document* document = nullptr;
    NodeId node = kNoNode;
    explicit operator bool() const { return document != nullptr; }
    friend bool operator<(const At& a, const At& b) {
        return std::pair(a.document, a.node) < std::pair(b.document, b.node);
    }
};

constexpr int kMaxDepth = 200;
constexpr std::size_t kMaxParts = 2000000;

struct Maker {
    Shape& shape;
    std::vector<std::unique_ptr<Document>> documents = {};
    std::set<std::string> loaded = {};
    std::map<std::string, At> elements = {}, types = {}, groups = {}, attributes = {}, attribute_groups = {};
    std::map<At, PlaceId> made = {};
    std::string problem = {};
    std::size_t parts = 0;  ///< looked at so far; groups of groups multiply them
    int depth = 0;

    std::string attribute(At at, const char* name) const {
        NodeId child = at.document->tree.child(at.node, name);
        return child == kNoNode ? "" : std::string(at.document->tree[child].text);
    }
    template <typename Each>
    void children(At at, Each each) const {
        const formats::NodeTree& tree = at.document->tree;
        for (NodeId c = tree[at.node].first_child; c != kNoNode; c = tree[c].next_sibling)
            each(tree[c].name, At{at.document, c});
    }

    /// false: `problem` says why.
    bool load(const std::string& file) {
        if (!loaded.insert(std::filesystem::path(file).lexically_normal().string()).second) return true;
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            problem = "the XSD `" + file + "` cannot be opened; check the path";
            return false;
        }
        std::ostringstream text;
        text << in.rdbuf();
        documents.push_back(std::make_unique<Document>());
        Document& document = *documents.back();
        document.bytes = text.str();
        formats::Settings settings;
        settings.kind = formats::Kind::xml;
        if (auto read = formats::parse(settings, document.bytes, {}, document.tree); !read) {
            problem = "`" + file + "` is no XML: " + read.error().message;
            return false;
        }
        NodeId schema = document.tree.child(document.tree.root(), "schema");
        if (schema == kNoNode) {
            problem = "`" + file + "` has no xs:schema";
            return false;
        }
        bool fine = true;
        children(At{&document, schema}, [&](std::string_view kind, At at) {
            const std::string name = attribute(at, "name");
            if (kind == "element") elements.emplace(name, at);
            else if (kind == "complexType" || kind == "simpleType") types.emplace(name, at);
            else if (kind == "group") groups.emplace(name, at);
            else if (kind == "attribute") attributes.emplace(name, at);
            else if (kind == "attributeGroup") attribute_groups.emplace(name, at);
            else if (kind == "include" || kind == "import" || kind == "redefine") {
                const std::string place = attribute(at, "schemaLocation");
                const auto beside = std::filesystem::path(file).parent_path() / place;
                // One that is not there (an address, say) leaves its types open.
                if (!place.empty() && std::filesystem::exists(beside)) fine = load(beside.string()) && fine;
            }
        });
        return fine;
    }

    static Leaf builtIn(const std::string& type) {
        static const std::set<std::string> kNumbers = {"decimal",
                                                       "integer",
                                                       "int",
                                                       "long",
                                                       "short",
                                                       "byte",
                                                       "float",
                                                       "double",
                                                       "nonNegativeInteger",
                                                       "positiveInteger",
                                                       "nonPositiveInteger",
                                                       "negativeInteger",
                                                       "unsignedInt",
                                                       "unsignedLong",
                                                       "unsignedShort",
                                                       "unsignedByte"};
        if (kNumbers.count(type)) return Leaf::number;
        if (type == "boolean") return Leaf::boolean;
        if (type == "date" || type == "gYear" || type == "gYearMonth") return Leaf::date;
        if (type == "dateTime") return Leaf::instant;
        return type == "anyType" || type == "anySimpleType" ? Leaf::any : Leaf::text;
    }

    PlaceId typeNamed(const std::string& qualified) {
        const std::string name = localName(qualified);
        if (auto found = types.find(name); found != types.end()) return typeAt(found->second, name);
        const Leaf leaf = builtIn(name);
        return shape.add({name, leaf, leaf == Leaf::any, {}});
    }
    PlaceId typeAt(At at, const std::string& name) {
        if (auto found = made.find(at); found != made.end()) return found->second;
        const PlaceId id = shape.add({name, Leaf::text, false, {}});
        made[at] = id;
        content(at, id, false);
        return id;
    }
    PlaceId typeOf(At element) {
        if (std::string type = attribute(element, "type"); !type.empty()) return typeNamed(type);
        PlaceId id = Shape::kOpen;
        children(element, [&](std::string_view kind, At at) {
            if (kind == "complexType" || kind == "simpleType") id = typeAt(at, attribute(element, "name"));
        });
        return id != Shape::kOpen ? id : shape.add({"", Leaf::any, true, {}});
    }
    /// The base's elements come first, as the schema has them.
    void derive(const std::string& base, PlaceId id) {
        const PlaceId from = typeNamed(base);
        const Shape::Type copy = shape.types[from];
        Shape::Type& to = shape.types[id];
        to.leaf = copy.leaf;
        to.open = to.open || copy.open;
        to.elements.insert(to.elements.end(), copy.elements.begin(), copy.elements.end());
    }
    void add(PlaceId id, const std::string& name, PlaceId type, bool many) {
        if (shape.types[id].leaf == Leaf::text) shape.types[id].leaf = Leaf::group;
        // A second element of the name in a sequence: there may be two.
        for (Shape::Element& e : shape.types[id].elements)
            if (e.name == name && e.type == type) {
                e.many = true;
                return;
            }
        shape.element(id, name, type, many);
    }
    /// A group that holds itself, or more than a schema for people has: what is not looked at stays open.
    void content(At at, PlaceId id, bool many) {
        if (depth == kMaxDepth || parts > kMaxParts) {
            shape.types[id].open = true;
            return;
        }
        ++depth;
        parts += 1 + shape.types[id].elements.size();
        children(at, [&](std::string_view kind, At part) {
            const std::string most = attribute(part, "maxOccurs");
            const bool repeats = many || most == "unbounded" || (!most.empty() && most != "0" && most != "1");
            const std::string ref = localName(attribute(part, "ref"));
            if (kind == "element") {
                At element = part;
                if (!ref.empty()) {
                    auto found = elements.find(ref);
                    if (found == elements.end()) return add(id, ref, Shape::kOpen, repeats);
                    element = found->second;
                }
                const std::string name = attribute(element, "name");
                add(id, name, typeOf(element), repeats);
            } else if (kind == "attribute") {
                At found = part;
                if (auto global = attributes.find(ref); global != attributes.end()) found = global->second;
                // An attribute is a child like any other in our tree; it does not make a text a group.
                const PlaceId type =
                    attribute(found, "type").empty() ? shape.leaf(Leaf::text) : typeNamed(attribute(found, "type"));
                shape.element(id, ref.empty() ? attribute(part, "name") : ref, type);
            } else if (kind == "group" || kind == "attributeGroup") {
                auto& named = kind == "group" ? groups : attribute_groups;
                if (auto found = named.find(ref); found != named.end()) content(found->second, id, repeats);
            } else if (kind == "extension" || kind == "restriction") {
                const std::string base = attribute(part, "base");
                if (!base.empty()) derive(base, id);
                // A restricted complex type has no element that its base has not.
                if (kind == "extension" || shape.types[id].leaf != Leaf::group) content(part, id, many);
            } else if (kind == "enumeration") {
                shape.types[id].codes.push_back(attribute(part, "value"));
            } else if (kind == "any" || kind == "anyAttribute") {
                shape.types[id].open = true;
            } else if (kind == "sequence" || kind == "choice" || kind == "all" || kind == "complexContent" ||
                       kind == "simpleContent") {
                content(part, id, repeats);
            }
        });
        --depth;
    }
};

}  // namespace

Result<std::shared_ptr<const Shape>> xsdModel(const std::string& file, const std::string& element) {
    auto shape = std::make_shared<Shape>();
    Maker maker{*shape};
    if (!maker.load(file)) return fail(Errc::misconfigured, maker.problem, "model");
    shape->root = shape->group("document");
    std::vector<std::string> known;
    for (const auto& [name, at] : maker.elements) {
        known.push_back(name);
        if (!element.empty() && name != element) continue;
        const PlaceId type = maker.typeOf(at);
        shape->element(shape->root, name, type);
    }
    if (shape->types[shape->root].elements.empty())
        return fail(Errc::misconfigured,
                    element.empty()
                        ? "the XSD has types and no global element; name the file of the document that uses them"
                        : "the XSD has no global element `" + element + "`",
                    "model", 0, 0, nearest(element, known));
    return std::shared_ptr<const Shape>(shape);
}

}  // namespace porta::mapping
