/** Frame of every page: no script, no external resources. */

import { STYLE } from './html-style.ts';
import { type Html, html } from './html-text.ts';

export function renderPage(title: string, body: Html): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body><main>
${body}
</main></body>
</html>
`;
  return page.html;
}
