// Jetty without configuration: its defaults are what is tested.
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;

public class JettyBiller {
    public static void main(String[] arguments) throws Exception {
        Server server = new Server(Integer.parseInt(arguments[0]));
        ServletContextHandler context = new ServletContextHandler();
        context.addServlet(new ServletHolder(new Biller()), "/*");
        server.setHandler(context);
        server.start();
        server.join();
    }
}
