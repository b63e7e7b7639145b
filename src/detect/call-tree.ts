/** Stacks as paths of one tree, its root above their first callers: what thousands of stacks share is held once. */

/** Above the first caller of every stack. */
export const ROOT = 0;

const LEAST_ROOM = 1_024;

export class CallTree {
  /** Of each place: the one that called it, which has a smaller number. */
  parents = new Int32Array(LEAST_ROOM);
  /** Of each place: the number of its frame's name. */
  names = new Int32Array(LEAST_ROOM);
  size = 1;
  /** Open addressing by (parent, name); 0 is an empty slot, for nobody looks for the root. */
  #slots = new Int32Array(2 * LEAST_ROOM);

  constructor() {
    this.parents[ROOT] = -1;
    this.names[ROOT] = -1;
  }

  /** The place of a frame below another; made when it is not there. */
  below(parent: number, name: number): number {
    const { parents, names } = this;
    const mask = this.#slots.length - 1;
    let slot = slotOf(parent, name) & mask;
    for (;;) {
      const place = this.#slots[slot] ?? 0;
      if (place === 0) return this.#add(parent, name, slot);
      if (parents[place] === parent && names[place] === name) return place;
      slot = (slot + 1) & mask;
    }
  }

  #add(parent: number, name: number, slot: number): number {
    const place = this.size;
    this.size += 1;
    if (place === this.parents.length) {
      this.parents = enlarged(this.parents);
      this.names = enlarged(this.names);
    }
    this.parents[place] = parent;
    this.names[place] = name;
    this.#slots[slot] = place;
    if (2 * this.size > this.#slots.length) this.#enlargeSlots();
    return place;
  }

  #enlargeSlots(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let place = 1; place < this.size; place++) {
      let slot = slotOf(this.parents[place] ?? 0, this.names[place] ?? 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = place;
    }
    this.#slots = slots;
  }
}

// Two odd constants and a shift: siblings, and equal names below neighbours, come to lie apart.
function slotOf(parent: number, name: number): number {
  const mixed = Math.imul(parent, 0x9e3779b1) ^ Math.imul(name, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** A copy with twice the room. */
export function enlarged(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
