/** The parts of the page that the script works with, as src/profile/diff-page.ts writes them. */

export function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} with the id ${id}`);
}

function optional<T extends HTMLElement>(id: string, type: new () => T): T | undefined {
  return document.getElementById(id) === null ? undefined : element(id, type);
}

export type PageElements = ReturnType<typeof pageElements>;

export function pageElements() {
  const tooltip = element('tooltip', HTMLElement);
  const whole = element('whole', HTMLElement);
  const empty = whole.querySelector('.empty');
  if (!(empty instanceof HTMLElement)) throw new Error('the page has no place to say that it is empty');
  return {
    ...{ whole, empty, tooltip },
    callers: element('callers', HTMLElement),
    callees: element('callees', HTMLElement),
    search: element('search', HTMLInputElement),
    found: element('found', HTMLElement),
    reset: element('reset', HTMLButtonElement),
    sandwich: element('sandwich', HTMLButtonElement),
    status: element('status', HTMLElement),
    functions: element('functions', HTMLTableElement),
    more: element('more', HTMLElement),
    /** Undefined where there is nothing to fold. */
    fold: optional('fold', HTMLButtonElement),
    /** Undefined where there is one view. */
    chooser: optional('view', HTMLSelectElement),
    hideTooltip: (): void => {
      tooltip.style.visibility = 'hidden';
    },
  };
}
