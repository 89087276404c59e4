// Three pages, told apart by the path: /, /mode/OCTAL and /about. The server answers each with the same index.html.

import { bit, octal, parseMode, symbolic, warnings, WHAT, WHO } from './mode';

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function home(): Node[] {
  const input = element('input', { type: 'text', placeholder: '0644', maxLength: 5, ariaLabel: 'mode' });
  const form = element('form', {}, input, ' ', element('button', {}, 'Explain'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    visit(`/mode/${input.value.trim()}`);
  });
  return [element('h1', {}, 'What does this mode allow?'), form];
}

function modePage(text: string): Node[] {
  const mode = parseMode(text);
  if (mode === undefined) {
    return [element('h1', {}, 'No such mode'), element('p', {}, 'A mode is up to four octal digits, such as 0644.')];
  }
  const head = element('tr', {}, element('th'), ...WHAT.map((what) => element('th', {}, what)));
  const rows = WHO.map((name, who) =>
    element('tr', {}, element('th', {}, name), ...WHAT.map((_, what) => element('td', {}, toggle(mode, bit(who, what)))))
  );
  return [
    element('h1', {}, element('code', {}, octal(mode)), ' is ', element('code', {}, symbolic(mode))),
    element('table', {}, head, ...rows),
    ...warnings(mode).map((warning) => element('p', { className: 'warning' }, warning)),
  ];
}

function toggle(mode: number, flag: number): HTMLInputElement {
  const box = element('input', { type: 'checkbox', checked: (mode & flag) !== 0 });
  box.addEventListener('change', () => visit(`/mode/${octal(mode ^ flag)}`));
  return box;
}

function about(): Node[] {
  return [
    element('h1', {}, 'About'),
    element('p', {}, 'Built with Node, served by nginx from a read-only file system, as a user that owns none of it.'),
  ];
}

function missing(): Node[] {
  return [element('h1', {}, 'No such page')];
}

function render(): void {
  const { pathname } = location;
  const mode = /^\/mode\/([^/]*)$/.exec(pathname)?.[1];
  const page =
    mode !== undefined ? modePage(mode) : pathname === '/' ? home() : pathname === '/about' ? about() : missing();
  document.querySelector('#page')?.replaceChildren(...page);
}

function visit(path: string): void {
  history.pushState(null, '', path);
  render();
}

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  // A click that asks for a new tab or window is the browser's.
  if (link?.origin === location.origin && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    visit(link.pathname);
  }
});
window.addEventListener('popstate', render);
render();
