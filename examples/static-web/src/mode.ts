// What the bits of a Unix file mode say.

export const WHO = ['owner', 'group', 'others'] as const;
export const WHAT = ['read', 'write', 'execute'] as const;

const SET_UID = 0o4000;
const SET_GID = 0o2000;
const STICKY = 0o1000;
const LARGEST = 0o7777;

/** Takes `644` and `0644`; gives nothing for what is no mode. */
export function parseMode(text: string): number | undefined {
  if (!/^[0-7]{1,5}$/.test(text)) {
    return undefined;
  }
  const mode = Number.parseInt(text, 8);
  return mode <= LARGEST ? mode : undefined;
}

export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** The bit for one of `WHO` (0 to 2) and one of `WHAT` (0 to 2). */
export function bit(who: number, what: number): number {
  return 0o400 >> (who * 3 + what);
}

/** As `ls -l` writes it, without the letter for the kind of file. */
export function symbolic(mode: number): string {
  const letters = [...'rwxrwxrwx'].map((letter, index) => (mode & (0o400 >> index) ? letter : '-'));
  const special: [number, number, string][] = [
    [SET_UID, 2, 's'],
    [SET_GID, 5, 's'],
    [STICKY, 8, 't'],
  ];
  for (const [flag, index, letter] of special) {
    if (mode & flag) {
      // The capital says that the execute bit under it is not set.
      letters[index] = letters[index] === 'x' ? letter : letter.toUpperCase();
    }
  }
  return letters.join('');
}

/** What somebody who hardens an image wants to hear about a mode. */
export function warnings(mode: number): string[] {
  const found: string[] = [];
  if (mode & SET_UID) found.push('runs as the owner of the file, whoever starts it');
  if (mode & SET_GID) found.push('runs with the group of the file, or hands its group down if it is a folder');
  if (mode & 0o002 && !(mode & STICKY)) found.push('everybody may write to it');
  return found;
}
