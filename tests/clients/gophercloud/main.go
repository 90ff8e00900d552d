// Boots a server with gophercloud, looks at it as Terraform's provider does, and deletes it.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	provider := must(openstack.AuthenticatedClient(ctx, must(openstack.AuthOptionsFromEnv())))
	where := gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")}
	compute := must(openstack.NewComputeV2(provider, where))
	network := must(openstack.NewNetworkV2(provider, where))
	image := must(openstack.NewImageV2(provider, where))
	compute.Microversion = "2.60"

	cirros := must(images.ExtractImages(must(images.List(image, images.ListOpts{Name: "cirros"}).AllPages(ctx))))[0]
	all := must(flavors.ExtractFlavors(must(flavors.ListDetail(compute, nil).AllPages(ctx))))
	flat := must(networks.ExtractNetworks(must(networks.List(network, networks.ListOpts{Name: "flat"}).AllPages(ctx))))[0]
	key := must(keypairs.Create(ctx, compute, keypairs.CreateOpts{Name: "of-gophercloud"}).Extract())
	defer keypairs.Delete(ctx, compute, key.Name, nil)

	server := must(servers.Create(ctx, compute, keypairs.CreateOptsExt{
		CreateOptsBuilder: servers.CreateOpts{
			Name: "by-gophercloud", ImageRef: cirros.ID, FlavorRef: all[0].ID,
			Networks: []servers.Network{{UUID: flat.ID}},
		},
		KeyName: key.Name,
	}, nil).Extract())
	if err := servers.WaitForStatus(ctx, compute, server.ID, "ACTIVE"); err != nil {
		log.Fatal(err)
	}
	server = must(servers.Get(ctx, compute, server.ID).Extract())
	port := must(ports.ExtractPorts(must(ports.List(network, ports.ListOpts{DeviceID: server.ID}).AllPages(ctx))))[0]
	fmt.Println(server.Name, server.Status, server.KeyName, port.FixedIPs[0].IPAddress)

	if err := servers.Delete(ctx, compute, server.ID).ExtractErr(); err != nil {
		log.Fatal(err)
	}
	for { // until it is not found, as Terraform's provider waits
		if _, err := servers.Get(ctx, compute, server.ID).Extract(); gophercloud.ResponseCodeIs(err, 404) {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	fmt.Println(server.Name, "is gone")
}
