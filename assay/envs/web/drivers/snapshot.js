// Returns the document as nested arrays [tag, attributes, children, value, checked, box, index], and the elements
// themselves by index. What cannot be seen is marked `hidden`; rules about roles and names are not made here.
(everything) => {
  const kept = ["href", "type", "name", "value", "id", "for", "placeholder", "alt", "title", "aria-label", "aria-hidden",
    "action", "method", "disabled", "checked", "selected", "onclick"];
  const skipped = new Set(["script", "style", "template", "noscript", "link", "meta"]);
  const fields = new Set(["input", "textarea", "select"]);
  const elements = [];
  const walk = (node) => {
    const tag = node.localName;
    const index = elements.push(node) - 1;
    const attributes = {};
    for (const name of kept) if (node.hasAttribute(name)) attributes[name] = node.getAttribute(name);
    const style = getComputedStyle(node);
    if (style.display === "none" && tag !== "option" && tag !== "head" && tag !== "title") attributes.hidden = "";
    else if (style.visibility === "hidden" && !node.children.length) attributes.hidden = "";
    if (everything && (style.cursor === "pointer" || attributes.onclick !== undefined || node.ownerSVGElement)) {
      attributes.clickable = "";
    }
    const box = node.getBoundingClientRect();
    const children = [];
    for (const child of node.childNodes) {
      if (child.nodeType === 3) { if (child.data.trim()) children.push(child.data); }
      else if (child.nodeType === 1 && !skipped.has(child.localName)) children.push(walk(child));
    }
    return [tag, attributes, children, fields.has(tag) ? String(node.value) : "", Boolean(node.checked),
      [box.left, box.top, box.right, box.bottom], index];
  };
  return {elements, tree: walk(document.documentElement)};
}
