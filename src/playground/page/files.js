// File attachments: name, size, a preview of text and pictures, download. Fetches with the page's
// token, so nothing leaves the workspace's own origin.

import { h, icon } from "./dom.js";
import { fetchFile } from "./api.js";
import { toast } from "./toast.js";
import { codeBox } from "./markdown.js";

const PREVIEW_BYTES = 200_000;
const PREVIEW_LINES = 12;
const previews = new Map();
const unfolded = new Set();

export function size(bytes) {
  if (!Number.isFinite(bytes)) return "";
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

const isText = (file) => /^text\/|json|xml|yaml|toml|javascript|x-sh|python/.test(file.mimetype ?? "") || /\.(txt|md|log|py|rs|json|jsonl|csv|ya?ml|toml|sh|diff|patch)$/i.test(file.name ?? "");
const isPicture = (file) => /^image\/(png|jpeg|gif|webp)$/.test(file.mimetype ?? "");

function load(file) {
  if (!previews.has(file.id)) {
    const blob = fetchFile(file.url);
    const content = isPicture(file) ? blob.then(dataUrl) : blob.then((part) => part.text());
    content.catch(() => previews.delete(file.id));
    previews.set(file.id, content);
  }
  return previews.get(file.id);
}

/** The content of a picture of this workspace, as an address of its own. */
export function pictureOf(id) {
  return load({ id, url: `/files/${id}/picture`, mimetype: "image/png" });
}

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(blob);
  });
}

async function download(file) {
  try {
    const blob = await fetchFile(file.url);
    const address = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
    const anchor = h("a", { href: address, download: file.name || "file" });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  } catch (error) {
    toast(error.message);
  }
}

function textPreview(file, text) {
  const lines = text.split("\n");
  const long = lines.length > PREVIEW_LINES;
  const extension = /\.([a-z0-9]{1,8})$/i.exec(file.name ?? "")?.[1] ?? "text";
  const show = (all) => codeBox((all ? lines : lines.slice(0, PREVIEW_LINES)).join("\n"), extension);
  const holder = h("div", { class: "file-preview" }, show(!long || unfolded.has(file.id)));
  if (!long) return holder;
  const label = () => (unfolded.has(file.id) ? "Show less" : `Show all ${lines.length} lines`);
  const more = h("button", { class: "link-button", type: "button", text: label() });
  more.addEventListener("click", () => {
    if (!unfolded.delete(file.id)) unfolded.add(file.id);
    holder.replaceChildren(show(unfolded.has(file.id)), more);
    more.textContent = label();
  });
  holder.append(more);
  return holder;
}

export function attachment(file) {
  const get = h("button", { class: "link-button", type: "button", text: "Download", "aria-label": `Download ${file.name ?? "file"}` });
  get.addEventListener("click", () => download(file));
  const head = h(
    "div",
    { class: "file-head" },
    h("span", { class: "file-icon" }, icon(isPicture(file) ? "image" : "file")),
    h("span", { class: "file-names" }, h("span", { class: "file-name", text: file.title || file.name || "file" }), h("span", { class: "file-size", text: [file.title && file.title !== file.name ? file.name : "", size(file.size)].filter(Boolean).join(" · ") })),
    get,
  );
  const node = h("div", { class: "file", testid: "file", "data-name": file.name }, head);
  if (file.url && (isText(file) || isPicture(file)) && (file.size ?? 0) <= PREVIEW_BYTES) {
    load(file).then(
      (content) => node.append(isPicture(file) ? h("img", { class: "image-block", src: content, alt: file.title || file.name || "" }) : textPreview(file, content)),
      () => node.append(h("div", { class: "file-missing", text: "No preview: the file could not be read." })),
    );
  }
  return node;
}
