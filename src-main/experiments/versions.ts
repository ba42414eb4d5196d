/**
 * The versions that a run's numbers depend on, for its provenance.
 * It asks the running program, not the network.
 */
import packageFile from '../../package.json' with { type: 'json' };

export function versions(): { [name: string]: string } {
  return {
    hopscope: packageFile.version,
    node: process.versions.node,
    'onnxruntime-node': packageFile.dependencies['onnxruntime-node'],
    tokenizers: packageFile.dependencies['@huggingface/tokenizers'],
  };
}
