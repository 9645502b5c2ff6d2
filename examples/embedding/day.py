import asyncio

from orchestrator import Cluster


async def main():
    async with Cluster(nodes=3, clock="virtual") as cluster:
        await cluster.apply("examples/web.yaml")
        web = await cluster.wait("deployment/web", "Available")
        print(web.status.readyReplicas, [pod.spec.nodeName for pod in await cluster.list("pods", app="web")])
        await cluster.kill("node-1")
        await cluster.advance(hours=24)


asyncio.run(main())
