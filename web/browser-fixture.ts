/** For tests: the browser that pages are opened in. It asks no network for anything of its own. */
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = process.env['FLAMEGATE_CHROMIUM'] ?? '/usr/bin/chromium';

export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
