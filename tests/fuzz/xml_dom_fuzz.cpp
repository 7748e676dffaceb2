// Our XML reader beside libxml2's DOM: the same verdict, the same elements in the same order with the same attributes, and the same
// text in those without elements. Where they differ on purpose: document types are refused, depth is 200 at most, and another
// encoding than UTF-8 is ours to decode.
#include <libxml/parser.h>
#include <libxml/tree.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "formats/format.h"

using namespace porta::formats;

namespace {

std::string_view view(const xmlChar* s) { return s ? reinterpret_cast<const char*>(s) : ""; }

/// Blanks alone say nothing.
std::string_view saying(std::string_view s) {
    return s.find_first_not_of(" \t\r\n") == std::string_view::npos ? std::string_view() : s;
}

std::string own(xmlChar* text) {
    std::string s(view(text));
    xmlFree(text);
    return s;
}

/// The element, and then its elements, against our nodes from `id` on; gives the next.
NodeId compare(xmlDoc* doc, const xmlNode* element, const NodeTree& tree, NodeId id) {
    if (id >= tree.size() || tree[id].name != view(element->name)) std::abort();
    const NodeId mine = id++;
    for (const xmlAttr* a = element->properties; a; a = a->next) {
        if (id >= tree.size() || tree[id].parent != mine || tree[id].name != view(a->name)) std::abort();
        if (tree[id].text != own(xmlNodeListGetString(doc, a->children, 1))) std::abort();
        ++id;
    }
    bool elements = false;
    for (const xmlNode* c = element->children; c; c = c->next)
        if (c->type == XML_ELEMENT_NODE) {
            elements = true;
            id = compare(doc, c, tree, id);
        }
    if (!elements && saying(tree[mine].text) != saying(own(xmlNodeGetContent(element)))) std::abort();
    return id;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    Settings settings;
    settings.kind = Kind::xml;
    NodeTree tree;
    auto ours = parse(settings, text, {}, tree);
    if (!ours && ours.error().rule != "xml.syntax") return 0;
    // What is read as UTF-8: no declaration of another encoding, no mark of UTF-16, and no zero byte, where libxml2 ends.
    const std::string head = text.substr(0, text.find("?>"));
    if (text.find('\0') != std::string::npos || head.find("encoding") != std::string::npos ||
        text.rfind("\xFF\xFE", 0) == 0 || text.rfind("\xFE\xFF", 0) == 0)
        return 0;
    std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> context(xmlNewParserCtxt(), &xmlFreeParserCtxt);
    std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> doc(
        xmlCtxtReadMemory(context.get(), text.data(), static_cast<int>(text.size()), nullptr, "UTF-8",
                          XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING),
        &xmlFreeDoc);
    const bool theirs = doc && context->wellFormed && context->nsWellFormed;
    if (theirs != ours.has_value()) std::abort();
    if (theirs && compare(doc.get(), xmlDocGetRootElement(doc.get()), tree, 1) != tree.size()) std::abort();
    return 0;
}
