import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import {
  cgroupSubtree,
  containerIdOf,
  findContainerCgroups,
  findPodCgroups,
  findPodsCgroup,
} from './container-cgroups.ts';
import { aDirectory } from './jvm-fixture.ts';
import { podUidIn } from './pod-of-process.ts';

const id = (digit: string) => digit.repeat(64);

test('containers are found by id under every naming that runtimes use, however deep the node is nested', (t) => {
  const root = aDirectory(t);
  const paths = [
    `/node/kubepods/burstable/pod1/${id('a')}`,
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2.slice/cri-containerd-${id('b')}.scope`,
    `/kubepods.slice/kubepods-pod3.slice/crio-${id('c')}.scope`,
    `/docker-${id('d')}.scope`,
  ];
  for (const path of [...paths, `/kubepods.slice/crio-conmon-${id('c')}.scope`])
    mkdirSync(`${root}${path}`, { recursive: true });

  const found = findContainerCgroups(root, new Set([id('a'), id('b'), id('c'), id('d'), id('e')]));

  assert.deepEqual(new Set(found.values()), new Set(paths));
});

test('a directory that only looks like one is no container', () => {
  assert.equal(containerIdOf(`crio-conmon-${id('a')}.scope`), undefined);
  assert.equal(containerIdOf('kubepods-burstable.slice'), undefined);
  assert.equal(containerIdOf('abc'), undefined);
});

test('a tree deeper than any node has is not followed to its end', (t) => {
  const root = aDirectory(t);
  mkdirSync(`${root}${'/x'.repeat(40)}/${id('a')}`, { recursive: true });

  assert.equal(findContainerCgroups(root, new Set([id('a')])).size, 0);
});

test('the cgroups below a container belong to it, 64 at most', (t) => {
  const root = aDirectory(t);
  for (let i = 0; i < 100; i++) mkdirSync(`${root}/c/child${i}`, { recursive: true });

  assert.equal(cgroupSubtree(`${root}/c`).length, 64);
  assert.equal(cgroupSubtree(`${root}/gone`).length, 0);
});

test('pods are found by uid under both drivers of cgroups', (t) => {
  const root = aDirectory(t);
  const paths = [
    '/kubepods/burstable/pod0f3c-11',
    '/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podaa_bb.slice',
  ];
  for (const path of [...paths, '/kubepods/podother']) mkdirSync(`${root}${path}/c`, { recursive: true });

  const found = findPodCgroups(root, new Set(['0f3c-11', 'aa-bb', 'gone']), podUidIn);

  assert.deepEqual(new Set(found), new Set(paths.map((path) => `${root}${path}`)));
});

test('the cgroup of all pods has one name, and is unknown where several have it', (t) => {
  const root = aDirectory(t);
  assert.equal(findPodsCgroup(root), undefined);
  mkdirSync(`${root}/node/kubepods.slice/kubepods-burstable.slice`, { recursive: true });

  assert.equal(findPodsCgroup(root), `${root}/node/kubepods.slice`);
  mkdirSync(`${root}/other/kubepods`, { recursive: true });
  assert.equal(findPodsCgroup(root), undefined);
});
