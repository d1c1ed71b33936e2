/**
 * Tags: additive, `-name` removes, unknown ones are created (recorded: contact-patch-tags-add-remove;
 * docs/mautic.md, "Segments and tags").
 */
import { created, ok } from "./answers.ts";
import type { Call } from "./mautic.ts";
import { isObject, keyedById } from "./php.ts";
import { nextId, type State } from "./state.ts";
import type { Answer, Contact, Json, Tag } from "./types.ts";

/** Returns whether the contact's tags changed. */
export function applyTags(state: State, contact: Contact, raw: Json | undefined): boolean {
  const names = typeof raw === "string"
    ? raw.split(",")
    : Array.isArray(raw)
    ? raw.map(String)
    : [];
  let changed = false;
  for (const name of names.map((item) => item.trim()).filter((item) => item !== "")) {
    if (name.startsWith("-")) {
      const kept = contact.tags.filter((tag) => tag.tag !== name.slice(1));
      changed ||= kept.length !== contact.tags.length;
      contact.tags = kept;
    } else if (!contact.tags.some((tag) => tag.tag === name)) {
      contact.tags.push(tagNamed(state, name));
      changed = true;
    }
  }
  if (changed) contact.tags.sort((a, b) => (a.tag < b.tag ? -1 : 1));
  return changed;
}

function tagNamed(state: State, name: string): Tag {
  const known = state.tags.get(name);
  if (known) return known;
  const tag = { id: nextId(state, "tag"), tag: name };
  state.tags.set(name, tag);
  return tag;
}

export function listTags({ mautic }: Call): Answer {
  const tags = [...mautic.state.tags.values()];
  return ok({
    total: tags.length,
    tags: keyedById(tags.map((tag) => [String(tag.id), { ...tag, description: null }])),
  });
}

export function newTag({ mautic, request }: Call): Answer {
  const name = isObject(request.body) ? String(request.body.tag ?? "") : "";
  const isKnown = mautic.state.tags.has(name);
  const tag = tagNamed(mautic.state, name);
  const body = { tag: { ...tag, description: null } };
  return isKnown ? ok(body) : created(body, `/api/tags/${tag.id}`);
}
