// The list of slash commands: adding one is one file and one line here.
import type { Command } from '../src/contracts/command.ts';
import { restartSa } from './restart-sa.ts';
import { revokeSa } from './revoke-sa.ts';
import { rotateSa } from './rotate-sa.ts';
import { tourniquet } from './tourniquet.ts';

export const commands: Command[] = [revokeSa, rotateSa, restartSa, tourniquet];
