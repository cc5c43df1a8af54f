import torch

from locutor.avatar.field import CodeNetwork


def test_one_frame_and_many_agree():
    torch.manual_seed(0)
    network = CodeNetwork(28, 6)
    controls = torch.randn(7, 28)
    many = network(controls)
    assert many.shape == (7, 6)
    torch.testing.assert_close(many[3], network(controls[3]))


def test_the_network_starts_close_to_linear_and_alive():
    torch.manual_seed(0)
    network = CodeNetwork(28, 6)
    controls = torch.randn(200, 28)
    with torch.no_grad():
        bent = network(controls) - network.direct(controls)
        assert bent.std() < 0.3 * network(controls).std()
        assert network(controls).std() > 0.3
