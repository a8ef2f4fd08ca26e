// The search of the site: what is typed, against the index that scripts/site.mjs made.
const search = globalThis.MiniSearch.loadJSON(globalThis.searchIndex, {
  fields: ['title', 'page', 'text'],
  storeFields: ['title', 'page'],
});
const field = document.querySelector('#search');
const results = document.querySelector('#results');
const options = { prefix: true, fuzzy: 0.2, combineWith: 'AND', boost: { title: 4, page: 2 } };

/** A command or an error code that was typed comes before pages that mention it. */
function rank({ title }) {
  const [typed, text] = [field.value.trim().toLowerCase(), title.toLowerCase()];
  return text === typed ? 2 : Number(text.startsWith(typed));
}

field.addEventListener('input', () => {
  const found = search
    .search(field.value, options)
    .sort((one, other) => rank(other) - rank(one))
    .slice(0, 12);
  results.replaceChildren(
    ...found.map(({ id, title, page }) => {
      const link = document.createElement('a');
      link.href = `${document.body.dataset.root}/${id}`;
      link.textContent = title === page ? title : `${page}: ${title}`;
      const item = document.createElement('li');
      item.append(link);
      return item;
    }),
  );
});
// On a phone the text comes first.
if (matchMedia('(max-width: 60rem)').matches) document.querySelector('nav.site details').open = false;

field.addEventListener('keydown', ({ key }) => {
  if (key === 'Enter') results.querySelector('a')?.click();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target === field) return;
  event.preventDefault();
  field.focus();
});
