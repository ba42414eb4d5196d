/** A process for owner-lock.test.ts: takes an owner lock, prints its name, and lives until it is killed. It is no test. */
import { takeOwnerLock } from '../../src-main/database/owner-lock.ts';

const lock = takeOwnerLock(process.argv[2]!);
console.log(lock.owner);
setInterval(() => lock.isAlive(lock.owner), 1000);
