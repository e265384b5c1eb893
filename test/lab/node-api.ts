/** What a Kubernetes does with its nodes at the request of a client. */
import { type Answer, goJson } from './answer.ts';
import type { Era, MetadataLists, Preconditions } from './era.ts';
import type { Node, NodeInput } from './node.ts';
import { readNode, readPatched, readPreconditions } from './node-body.ts';
import { listJson, negotiate, oneJson, selectPage } from './node-list.ts';
import { selector } from './node-selector.ts';
import { notReady } from './node-sketch.ts';
import type { NodeStore } from './node-store.ts';
import { validateChange, validateNew } from './node-validation.ts';
import { type Place, wireOf } from './node-wire.ts';
import type { Received } from './request-log.ts';
import * as refuse from './status.ts';

/** What a test may set apart from the release. */
export interface Abilities {
  readonly metadataLists: MetadataLists;
  readonly paging: boolean;
  readonly preconditions: Preconditions;
}

export interface NodeRequest {
  readonly request: Received;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly place: Place;
  /** None for all nodes. */
  readonly name: string | undefined;
  /** Whether it is about the status, at a path of its own. */
  readonly ofStatus: boolean;
}

export class NodeApi {
  readonly #store: NodeStore;
  readonly #era: Era;
  readonly #abilities: Abilities;

  constructor(store: NodeStore, era: Era, abilities: Abilities) {
    this.#store = store;
    this.#era = era;
    this.#abilities = abilities;
  }

  /** Throws a Refusal. */
  answer(asked: NodeRequest): Answer {
    if (asked.ofStatus && !this.#era.statusPath) throw refuse.noSuchPath();
    return asked.name === undefined ? this.#ofAll(asked) : this.#ofOne(asked, asked.name);
  }

  #ofAll(asked: NodeRequest): Answer {
    switch (asked.request.method) {
      case 'GET':
        return this.#list(asked);
      case 'POST':
        return this.#create(asked);
      case 'DELETE':
        if (this.#era.deletesCollections) return this.#deleteAll(asked);
        throw refuse.methodNotAllowed();
      default:
        throw refuse.methodNotAllowed();
    }
  }

  #ofOne(asked: NodeRequest, name: string): Answer {
    switch (asked.request.method) {
      case 'GET': {
        const { metadataLists } = this.#abilities;
        const form = negotiate(asked.request.headers.accept, 'PartialObjectMetadata', metadataLists, this.#era);
        return jsonText(200, oneJson(this.#existing(name), form, this.#era, asked.place));
      }
      case 'PUT':
        return this.#replace(asked, name);
      case 'PATCH':
        if (this.#era.patches === 'none') throw refuse.methodNotAllowed();
        return this.#patch(asked, name);
      case 'DELETE':
        return this.#delete(asked, name);
      default:
        throw refuse.methodNotAllowed();
    }
  }

  #list({ request, path, query, place }: NodeRequest): Answer {
    const { metadataLists, paging } = this.#abilities;
    const form = negotiate(request.headers.accept, 'PartialObjectMetadataList', metadataLists, this.#era);
    const page = selectPage(this.#store, query, paging, this.#era, place);
    return jsonText(200, listJson(page, form, this.#era, place, path));
  }

  #create(asked: NodeRequest): Answer {
    const input = readNode(asked.request, this.#era, asked.place.api);
    const draft = this.#store.draft(this.#era.notReadyTaint ? notReady(input) : input);
    validateNew(draft, this.#era);
    if (input.metadata.resourceVersion) throw refuse.serverError(this.#era.bodies.resourceVersionOnCreate);
    const { name } = draft.metadata;
    if (this.#store.get(name) !== undefined) throw refuse.alreadyExists(name, this.#era);
    const created = this.#stored(draft, asked);
    const shown = this.#era.nodes.resourceVersionOfNew ? created : withoutResourceVersion(created);
    return this.#one(201, shown, asked);
  }

  #deleteAll({ path, query, place }: NodeRequest): Answer {
    const nodes = this.#store.list().nodes.filter(selector(query, place.api, this.#era));
    for (const { metadata } of nodes) this.#store.delete(metadata.name);
    const said = { resourceVersion: String(this.#store.list().revision) };
    const wire = wireOf(this.#era, place);
    return jsonText(200, wire.list(nodes.map(wire.item), said, path, this.#era.emptyDeletion));
  }

  #replace(asked: NodeRequest, name: string): Answer {
    const input = readNode(asked.request, this.#era, asked.place.api);
    const node = this.#named(name, input);
    const { uid } = input.metadata;
    if (uid !== undefined && uid !== node.metadata.uid) {
      throw refuse.otherUid(name, uid, node.metadata.uid, this.#era);
    }
    return this.#change(node, input, asked);
  }

  #patch(asked: NodeRequest, name: string): Answer {
    const node = wireOf(this.#era, asked.place).one(this.#existing(name));
    const input = readPatched(asked.request, node, this.#era, asked.place.api);
    return this.#change(this.#named(name, input), input, asked);
  }

  /** The status changes through its own path only, the spec through the node's; the metadata changes through both. */
  #change(node: Node, input: NodeInput, asked: NodeRequest): Answer {
    const { name, uid, resourceVersion: current = '' } = node.metadata;
    const { resourceVersion: wanted = '' } = input.metadata;
    if (wanted !== current && !(wanted === '' && this.#era.unconditionalUpdates)) {
      throw refuse.staleUpdate({ name, wanted, current }, this.#era);
    }
    validateChange(input, uid, this.#era);
    const status = this.#era.statusPath ? node.status : input.status;
    const changed = asked.ofStatus ? { ...input, spec: node.spec } : { ...input, status };
    return this.#one(200, this.#stored(this.#store.revision(node, changed), asked), asked);
  }

  #delete(asked: NodeRequest, name: string): Answer {
    const { request, query, place } = asked;
    const node = this.#store.get(name);
    if (node === undefined) throw refuse.nothingToDelete(name, this.#era);
    const { uid, resourceVersion = '' } = node.metadata;
    const { preconditions } = this.#abilities;
    const wanted = readPreconditions(request, this.#era);
    if (preconditions !== 'none' && wanted.uid !== undefined && wanted.uid !== uid) {
      throw refuse.preconditionFailed(name, 'UID', wanted.uid, uid, 'deleted and then recreated');
    }
    const version = wanted.resourceVersion;
    if (preconditions === 'both' && version !== undefined && version !== resourceVersion) {
      throw refuse.preconditionFailed(name, 'ResourceVersion', version, resourceVersion, 'modified');
    }
    if (this.#era.finalizers && node.metadata.finalizers !== undefined) {
      return this.#one(200, this.#isDryRun(query) ? node : this.#store.leave(node), asked);
    }
    if (!this.#isDryRun(query)) this.#store.delete(name);
    const how = this.#era.deleted === 'code' ? { code: 200 } : { details: { name, kind: 'nodes', uid } };
    const said = { metadata: {}, status: 'Success', ...how };
    return jsonText(200, goJson(refuse.statusOf(said, place.api)));
  }

  #one(code: number, node: Node, { place, ofStatus }: NodeRequest): Answer {
    return jsonText(code, wireOf(this.#era, place).one(node, ofStatus ? '/status' : ''));
  }

  #stored(node: Node, { query }: NodeRequest): Node {
    return this.#isDryRun(query) ? node : this.#store.put(node, { always: this.#era.alwaysWrites });
  }

  #isDryRun(query: URLSearchParams): boolean {
    return this.#era.dryRun && query.get('dryRun') === 'All';
  }

  #existing(name: string): Node {
    const node = this.#store.get(name);
    if (node === undefined) throw refuse.nodeNotFound(name, this.#era);
    return node;
  }

  #named(name: string, input: NodeInput): Node {
    if (input.metadata.name !== name) {
      throw refuse.badRequest(this.#era.errors.nameMismatch(input.metadata.name, name));
    }
    return this.#existing(name);
  }
}

function withoutResourceVersion(node: Node): Node {
  return { ...node, metadata: { ...node.metadata, resourceVersion: undefined } };
}

function jsonText(status: number, body: string): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: `${body}\n` };
}
