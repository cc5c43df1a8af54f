import torch

from locutor.avatar.field import CodeNetwork, displacement


def test_the_field_is_the_weighted_sum_of_the_bases():
    generator = torch.Generator().manual_seed(0)
    bases = torch.randn(5, 9, 33, generator=generator)
    coefficients = torch.randn(5, generator=generator)
    expected = torch.einsum("k,kcm->cm", coefficients, bases)
    torch.testing.assert_close(displacement(coefficients, bases), expected)


def test_the_field_has_gradients_by_finite_differences():
    generator = torch.Generator().manual_seed(1)
    bases = torch.randn(3, 9, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    coefficients = torch.randn(3, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(displacement, (coefficients, bases))


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
