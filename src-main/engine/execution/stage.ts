/**
 * What programs need of the place where weights and values between programs lie: the CPU's memory (weight-stage.ts) or a device's (device-stage.ts).
 * It moves nothing itself.
 */
import type { DeviceName } from '../runtime/device.ts';
import type { AnyTensor } from '../runtime/device-tensor.ts';
import type { WeightTensor } from '../weights.ts';
import type { Wanted } from './weight-stage.ts';

export interface Stage {
  /** What programs run on now, where that is not as it was set: a device can be lost. */
  readonly device: DeviceName | undefined;
  /**
   * Feeds by name that stay as they are until the next call. `ahead` is what the next call is likely to want.
   * Errors: `MissingTensor`, `OutOfMemory`, `CannotRead`, `BadSafetensors`; on a device `OutOfDeviceMemory`, `DeviceLost`.
   */
  feeds(wanted: readonly Wanted[], ahead?: readonly Wanted[]): Promise<Record<string, AnyTensor>>;
  /** Single tensors, likewise. */
  values(tensors: readonly WeightTensor[], ahead?: readonly WeightTensor[]): Promise<AnyTensor[]>;
  /** Where a program puts values that only other programs read. What it holds at first means nothing. */
  place(shape: readonly number[]): Promise<AnyTensor>;
  /** Says that what `place` gave out, if it was that, is not needed any more. */
  free(tensor: AnyTensor | undefined): void;
  /** Says that the work so far was done where it should be. */
  worked(): void;
  /** Asks whether work that failed should be done once more, as it should where its device was lost and everything has been brought to the CPU. */
  recover(error: unknown): Promise<boolean>;
  /** Lets go of all buffers. */
  release(): Promise<void>;
}

/** Work that changes nothing but what it returns; done again on the CPU where the device fails. Errors: those of the work. */
export async function recovering<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    stage.worked();
    return result;
  } catch (error) {
    if (!(await stage.recover(error))) throw error;
    return work();
  }
}
