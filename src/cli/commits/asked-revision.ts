/** How whoever runs a command may name a commit: by all that `git rev-parse --verify` understands, and nothing that it could take for an option. */

const MOST_CHARACTERS = 256; // a branch's name has less, also with where to go from it

export const isRevision = (text: string): boolean =>
  text !== '' && text.length <= MOST_CHARACTERS && !text.startsWith('-') && !/\p{Cc}/u.test(text);
