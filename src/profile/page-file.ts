/** An HTML file that fetches nothing and runs nothing but what its policy names by hash. */
import { escapeHtml } from './html.ts';

export interface PageFile {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  readonly style: string;
  readonly policy: { readonly script?: string; readonly style: string };
}

export const pageFile = ({ title, body, style, policy }: PageFile): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`;

const contentPolicy = ({ script, style }: PageFile['policy']): string =>
  [
    "default-src 'none'",
    ...(script === undefined ? [] : [`script-src '${script}'`]),
    `style-src '${style}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
