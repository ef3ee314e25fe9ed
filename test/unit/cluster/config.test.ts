import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { parse } from 'yaml';
import { slotAddressing } from '../../cluster/addressing.js';
import {
  apiServerArguments,
  type ControlPlaneSettings,
  controllerManagerArguments,
  controlPlaneEnvironment,
} from '../../cluster/control-plane-arguments.js';
import { localStorageClass, localVolume } from '../../cluster/local-volume.js';
import { parseMountInfo } from '../../cluster/mounts.js';
import { bootScript, cniConfig, containerdConfig, kubeletConfig } from '../../cluster/node-config.js';
import { checkFoldersForNodes, clusterFolder } from '../../cluster/paths.js';
import { linkerFlags, tellsVersion, tools } from '../../cluster/tool-catalog.js';

const alone: ControlPlaneSettings = {
  folder: '/run-folder',
  address: '127.0.0.1',
  apiPort: 1,
  etcdPort: 2,
  etcdPeerPort: 3,
  serviceRange: '10.0.0.0/24',
  hasNodes: false,
  auditLog: true,
  nodeMonitorGraceSeconds: 40,
};

describe('the command line of the API server', () => {
  it('listens on loopback alone and announces no endpoint when there are no nodes', () => {
    const args = apiServerArguments(alone);
    expect(args).to.include('--bind-address=127.0.0.1').and.to.include('--endpoint-reconciler-type=none');
  });

  it('announces its endpoint to pods when there are nodes', () => {
    const args = apiServerArguments({ ...alone, hasNodes: true, address: '10.77.0.2' });
    expect(args).to.include('--advertise-address=10.77.0.2');
    expect(args).not.to.include('--endpoint-reconciler-type=none');
  });

  it('writes an audit log only if it is wanted', () => {
    const audited = (auditLog: boolean) =>
      apiServerArguments({ ...alone, auditLog }).some((arg) => arg.startsWith('--audit-log-path='));
    expect([audited(true), audited(false)]).to.deep.equal([true, false]);
  });
});

describe('a control plane without nodes', () => {
  it('looks after nothing that runs on nodes, and one with nodes does', () => {
    const controllers = (hasNodes: boolean) =>
      controllerManagerArguments({ ...alone, hasNodes })
        .filter((arg) => arg.startsWith('--controllers='))
        .flatMap((arg) => arg.replace('--controllers=', '').split(','));
    expect(controllers(false)).to.include.members(['*', '-endpointslice-controller', '-disruption-controller']);
    for (const needed of ['garbage-collector', 'namespace', 'serviceaccount'])
      expect(controllers(false)).to.not.include(`-${needed}-controller`);
    expect(controllers(true)).to.deep.equal([]);
  });

  it('takes memory rather than time, but no more than half of it', () => {
    expect(controlPlaneEnvironment({ hasNodes: false }, 8e9)).to.include({ GOMEMLIMIT: '4000000000' });
    expect(controlPlaneEnvironment({ hasNodes: true }, 8e9)).to.deep.equal({});
  });
});

describe('the patience with silent nodes', () => {
  const kubelet = (nodeMonitorGraceSeconds: number) =>
    parse(
      kubeletConfig({
        authorityPath: '/ca.crt',
        podRange: '10.128.1.0/24',
        cgroupRoot: '/understudy-0/node-1',
        resolvConf: '/resolv.conf',
        volumePluginFolder: '/plugins',
        nodeMonitorGraceSeconds,
      }),
    ) as { nodeLeaseDurationSeconds: number };

  it('is looked after more often than it lasts', () => {
    for (const grace of [4, 8, 40, 300]) {
      const args = controllerManagerArguments({ ...alone, nodeMonitorGraceSeconds: grace });
      const period = Number(/period=(\d+)s/.exec(args.filter((arg) => arg.includes('monitor-period')).join())?.[1]);
      expect(period).to.be.at.least(1);
      expect(period).to.be.below(grace);
    }
  });

  it('is never shorter than four renewals of a kubelet, which renews at a quarter of its Lease', () => {
    for (const grace of [4, 8, 40, 300]) expect(kubelet(grace).nodeLeaseDurationSeconds).to.be.at.most(grace);
  });
});

describe('the configuration of a node', () => {
  it('gives pods addresses of the node’s own range', () => {
    const config = JSON.parse(cniConfig(slotAddressing(2).node(3))) as { plugins: { ipam?: { ranges: unknown } }[] };
    expect(config.plugins[0]?.ipam?.ranges).to.deep.equal([[{ subnet: '10.130.3.0/24' }]]);
  });

  it('lets the runtime write nothing outside of the node, and lower no score that it may not lower', () => {
    const settings = { root: '/root', sandboxImage: 'pause', cniConfigFolder: '/cni', restrictOomScoreAdj: true };
    const config = containerdConfig(settings);
    expect(config).to.include('io.containerd.internal.v1.opt').and.to.include('restrict_oom_score_adj = true');
    expect(containerdConfig({ ...settings, restrictOomScoreAdj: false })).to.include('restrict_oom_score_adj = false');
  });

  it('boots by a script that the shell understands, whatever the folder is called', () => {
    const script = bootScript({ nodeFolder: '/a folder/node-1', pauseBinary: '/a folder/pause' });
    const { status, stderr } = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' });
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
  });
});

describe('the folders of a cluster', () => {
  it('are refused where a node has files of its own', () => {
    expect(() => checkFoldersForNodes('/run/user/0/x', '/root/.cache')).to.throw('UNDERSTUDY_RUN_DIR');
    expect(() => checkFoldersForNodes('/var/lib/x', '/root/.cache')).to.throw('UNDERSTUDY_RUN_DIR');
    expect(() => checkFoldersForNodes('/tmp/x', '/run/x')).to.throw('XDG_CACHE_HOME');
    expect(() => checkFoldersForNodes('/tmp/x', '/root/.cache')).not.to.throw();
    expect(() => checkFoldersForNodes('/runs/x', '/root/.cache')).not.to.throw();
  });

  it('are only made and deleted for plain names', () => {
    for (const name of ['', '.', '..', '../x', 'a/b', 'A', '-a', 'a'.repeat(41)]) {
      expect(() => clusterFolder(name), name).to.throw('is no cluster name');
    }
    expect(clusterFolder('demo-1')).to.match(/\/clusters\/demo-1$/);
  });
});

describe('a mount', () => {
  it('is read with its path, source and type, spaces and all', () => {
    const text =
      '30 1 7:0 / /tmp/a\\040b rw,relatime shared:3 master:1 - ext4 /dev/loop0 rw\n31 1 0:5 / /proc rw - proc proc rw\n';
    expect(parseMountInfo(text)).to.deep.equal([
      { path: '/tmp/a b', source: '/dev/loop0', type: 'ext4' },
      { path: '/proc', source: 'proc', type: 'proc' },
    ]);
  });
});

describe('a local volume', () => {
  const volume = localVolume(
    { name: 'node-2' },
    { mountPath: '/disks/node-2/footage' },
    { name: 'footage-2', storageClass: 'local', capacity: '1Gi' },
  );

  it('can only be used on the node that has the disk', () => {
    const [term] = volume.spec.nodeAffinity.required.nodeSelectorTerms;
    expect(term?.matchExpressions).to.deep.equal([
      { key: 'kubernetes.io/hostname', operator: 'In', values: ['node-2'] },
    ]);
    expect(volume.spec.local.path).to.equal('/disks/node-2/footage');
  });

  it('outlives its claim, and waits for the pod that decides its node', () => {
    expect(volume.spec.persistentVolumeReclaimPolicy).to.equal('Retain');
    expect(localStorageClass('local').volumeBindingMode).to.equal('WaitForFirstConsumer');
  });
});

describe('the version of a binary', () => {
  it('is told only by exactly that version', () => {
    expect(tellsVersion('Kubernetes v1.36.3\n', '1.36.3')).to.equal(true);
    expect(tellsVersion('etcd Version: 3.6.16\nGit SHA: x\n', '3.6.16')).to.equal(true);
    for (const answer of ['Kubernetes v1.36.30', 'Kubernetes v11.36.3', 'Kubernetes v1.36.3.1', 'v1x36x3', '']) {
      expect(tellsVersion(answer, '1.36.3'), answer).to.equal(false);
    }
  });

  it('is linked into every Kubernetes binary, which would call itself v0.0.0 otherwise', () => {
    expect(linkerFlags(tools.kubelet)).to.include('gitVersion=v1.36.3').and.to.include('gitMinor=36');
    expect(linkerFlags(tools.etcd)).to.equal('-s -w');
  });

  it('is the one that its go.mod pins', async () => {
    const { readFile } = await import('node:fs/promises');
    for (const tool of Object.values(tools).filter(({ module }) => module !== 'pause')) {
      const text = await readFile(new URL(`../../cluster/tools/${tool.module}/go.mod`, import.meta.url), 'utf8');
      const pinned = [...text.matchAll(/^\s*(?:require )?(\S+) v([0-9.]+)/gm)].filter(
        ([, path]) => tool.package === path || tool.package.startsWith(`${path}/`),
      );
      expect(
        pinned.map(([, , version]) => version),
        tool.name,
      ).to.deep.equal([tool.version]);
    }
  });
});
